import { TemplateError } from "./template-error.js";
import { type Arguments, numberOf, typeName, type Value } from "./values.js";

/**
 * The arguments of a call in the order of `names`, undefined where none is given.
 *
 * @throws TemplateError for one too many, an unknown name, or one given twice
 */
export function bind(
  callee: string,
  names: readonly string[],
  { positional, named }: Arguments,
): (Value | undefined)[] {
  if (positional.length > names.length) {
    throw new TemplateError(
      `${callee}() takes at most ${names.length} arguments (${positional.length} given)`,
    );
  }
  const bound: (Value | undefined)[] = names.map((_, i) => positional[i]);
  for (const [name, value] of named) {
    const at = names.indexOf(name);
    if (at < 0) {
      throw new TemplateError(`${callee}() got an unexpected keyword argument '${name}'`);
    }
    if (bound[at] !== undefined) {
      throw new TemplateError(`${callee}() got multiple values for argument '${name}'`);
    }
    bound[at] = value;
  }
  return bound;
}

/** A text argument. */
export function textArgument(value: Value | undefined, callee: string): string {
  if (typeof value === "string") return value;
  const found = value === undefined ? "nothing" : typeName(value);
  throw new TemplateError(`${callee}() needs text, not ${found}`);
}

/** A whole number, within what JavaScript counts with. */
export function wholeArgument(value: Value | undefined, callee: string, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback;
  const number = value === undefined ? undefined : numberOf(value);
  if (typeof number === "bigint") return Number(number);
  const found = value === undefined ? "nothing" : typeName(value);
  throw new TemplateError(`${callee}() needs an integer, not ${found}`);
}
