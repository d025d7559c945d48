import { globals } from "./library/globals.js";
import { parseTemplate } from "./parser/parse-template.js";
import { type Output, Scope } from "./scope.js";
import { TemplateError } from "./template-error.js";
import { fromData, type Value } from "./values.js";

export { TemplateError } from "./template-error.js";

export interface Rendered {
  readonly text: string;
  /** What stands in `{% generation %}` blocks, in UTF-16 units. */
  readonly spans: readonly { readonly start: number; readonly end: number }[];
}

/**
 * Compiles a Jinja template as `transformers` does for chats, and gives what renders it with
 * variables of plain data. What it renders is what Python renders, or it is refused: filters, tags
 * and methods that are rare in chat templates by their names.
 *
 * @throws TemplateError with the line of what is wrong, here and when it renders
 */
export function compileTemplate(
  source: string,
  now: () => Date = () => new Date(),
): (variables: Readonly<Record<string, unknown>>) => Rendered {
  const template = parseTemplate(source);
  return (variables) => {
    const values = Object.entries(variables).filter(([, value]) => value !== undefined);
    const outer = new Scope(undefined, globals(now));
    const scope = new Scope(
      outer,
      values.map(([name, value]) => [name, readData(name, value)]),
    );
    const spans: { start: number; end: number }[] = [];
    const output: Output = { text: "", spans };
    try {
      template(new Scope(scope), output);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new TemplateError(`maximum recursion depth exceeded (${cause.message})`);
    }
    return { text: output.text, spans };
  };
}

function readData(name: string, data: unknown): Value {
  try {
    return fromData(data);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TemplateError(`${name} is nested too deeply`);
  }
}
