import type { Value } from "./values.js";

/** Names and values of a template, a loop's body, a macro. */
export class Scope {
  readonly #values = new Map<string, Value>();

  readonly parent: Scope | undefined;

  constructor(parent: Scope | undefined, values: Iterable<readonly [string, Value]> = []) {
    this.parent = parent;
    for (const [name, value] of values) this.#values.set(name, value);
  }

  get(name: string): Value | undefined {
    const own = this.#values.get(name);
    return own === undefined ? this.parent?.get(name) : own;
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }
}

/** What a template has written, in one piece, and where `{% generation %}` blocks stand in it. */
export interface Output {
  text: string;
  /** Undefined where the text becomes a value first: its place in the whole is not known. */
  readonly spans: { start: number; end: number }[] | undefined;
}

/** An expression of a template. */
export interface Expression {
  (scope: Scope): Value;
  /** Of `value | safe`, the value: without escaping, printing it is all that can be done with it. */
  readonly printed?: Expression;
}

/** Leaves a loop's body early. */
export type Flow = "break" | "continue" | undefined;

export type Statement = (scope: Scope, output: Output) => Flow;

/** Assigns a value to names. */
export type Target = (scope: Scope, value: Value) => void;

/** Reads the statements up to one of the tags `ends`, which becomes the current token. */
export type ParseBody = (ends: readonly string[]) => Statement;

/** The text of a body, which becomes a value. */
export function render(body: Statement, scope: Scope): string {
  const output: Output = { text: "", spans: undefined };
  body(scope, output);
  return output.text;
}
