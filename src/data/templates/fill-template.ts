import { oneOf, PupilError } from "../../errors/index.js";

const placeholder = /\{(\w+)\}/g;

/** The names in braces that a template has. */
export function placeholdersOf(template: string): string[] {
  return [...new Set([...template.matchAll(placeholder)].map((match) => match[1] as string))];
}

/** The template with values for the names in braces. @throws PupilError for one that nobody knows */
export function fillTemplate(
  template: string,
  values: Readonly<Record<string, string | undefined>>,
  field: string,
): string {
  return template.replace(placeholder, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return value;
    const allowed = Object.keys(values).filter((key) => values[key] !== undefined);
    throw new PupilError(`{${name}} stands for nothing here.`, {
      field,
      value: template,
      remedy: oneOf(name, allowed),
    });
  });
}
