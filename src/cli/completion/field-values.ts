import { z } from "zod";

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/**
 * Paths of the fields that an object schema can have, in whichever of its forms, and the values of those
 * that have few: names and booleans. Fields of list entries are not among them.
 */
export function fieldValues(schema: z.ZodType): Map<string, readonly string[]> {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const found = new Map<string, Set<string>>();
  const visit = (field: JsonSchema, path: string): void => {
    const forms = [...(field.oneOf ?? []), ...(field.anyOf ?? [])];
    for (const form of forms) visit(form, path);
    for (const [name, inner] of Object.entries(field.properties ?? {})) {
      visit(inner, path === "" ? name : `${path}.${name}`);
    }
    // A part of several fields is given by those.
    if ([field, ...forms].some(({ properties }) => properties !== undefined)) return;
    const values = found.get(path) ?? new Set();
    found.set(path, values);
    for (const value of valuesOf(field)) values.add(value);
  };
  visit(json, "");
  return new Map([...found].map(([path, values]) => [path, [...values]]));
}

function valuesOf(field: JsonSchema): string[] {
  if (field.const !== undefined) return [String(field.const)];
  if (field.enum !== undefined) return field.enum.map(String);
  return field.type === "boolean" ? ["true", "false"] : [];
}
