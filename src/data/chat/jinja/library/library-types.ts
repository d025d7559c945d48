import type { Arguments, Value } from "../values.js";

export type Filter = (value: Value, args: Arguments, library: Library) => Value;
export type Test = (value: Value, args: Arguments, library: Library) => boolean;

/** Filters and tests by name, for those that take the name of another. */
export interface Library {
  /** @throws TemplateError naming a filter that Jinja does not have, or that is not supported */
  findFilter(name: string): Filter;
  isFilter(name: string): boolean;
  /** @throws TemplateError naming a test that Jinja does not have, or that is not supported */
  findTest(name: string): Test;
}
