/** What a template refuses, or what is wrong with it; `line` is the template's. */
export class TemplateError extends Error {
  line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.name = "TemplateError";
    this.line = line;
  }
}

/** For what Python renders and this engine does not: better no text than another one. */
export function notSupported(what: string): TemplateError {
  return new TemplateError(`${what} is not supported`);
}
