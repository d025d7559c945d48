import { z } from "zod";
import { isSameName } from "./pupil-error.js";

/** The schema at a path, following the input through unions that a field tells apart. */
export function schemaAt(
  schema: z.ZodType,
  root: unknown,
  path: readonly PropertyKey[],
): z.ZodType | undefined {
  let current: z.ZodType | undefined = unwrap(schema);
  let value = root;
  for (const key of path) {
    const object: z.ZodType | undefined = optionOf(current, value);
    if (object instanceof z.ZodObject) current = object.shape[String(key)] as z.ZodType;
    else if (object instanceof z.ZodRecord) current = object.valueType as z.ZodType;
    else if (object instanceof z.ZodArray) current = object.element as z.ZodType;
    else return undefined;
    current = current && unwrap(current);
    value = valueAt(value, [key]);
  }
  return current;
}

/** The fields of the object schema at a path, by name. */
export function fieldsAt(
  schema: z.ZodType,
  root: unknown,
  path: readonly PropertyKey[],
): Readonly<Record<string, z.ZodType>> {
  const object = optionOf(schemaAt(schema, root, path), valueAt(root, path));
  return object instanceof z.ZodObject ? (object.shape as Record<string, z.ZodType>) : {};
}

/** Paths of all fields with this name, the shallowest first. */
export function pathsTo(schema: z.ZodType, root: unknown, name: string): string[] {
  const found: string[] = [];
  let level: { path: string[]; schema: z.ZodType; value: unknown }[] = [
    { path: [], schema, value: root },
  ];
  // No config is deeper.
  for (let depth = 0; depth < 6 && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { path, schema: outer, value } of level) {
      const object = optionOf(unwrap(outer), value);
      if (!(object instanceof z.ZodObject)) continue;
      for (const [key, inner] of Object.entries(object.shape)) {
        const here = [...path, key];
        if (isSameName(key, name) && !tellsApart(unwrap(outer), key)) found.push(here.join("."));
        next.push({ path: here, schema: inner as z.ZodType, value: valueAt(value, [key]) });
      }
    }
    level = next;
  }
  return found;
}

/** Whether a field says which form of a union a value has: its name is that of many others. */
function tellsApart(schema: z.ZodType, key: string): boolean {
  return schema instanceof z.ZodDiscriminatedUnion && schema.def.discriminator === key;
}

export function discriminatorValues(union: z.ZodDiscriminatedUnion): string[] {
  return union.options.flatMap((option) => {
    const literal = unwrap((option as z.ZodObject).shape[union.def.discriminator] as z.ZodType);
    return literal instanceof z.ZodLiteral ? [...literal.values].map(String) : [];
  });
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as never)[key]
        : undefined,
    root,
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Of a thing that a field tells apart, or several of them by name: which of the two a value is. Index
 * into the union's forms; undefined for other unions.
 */
export function formOfOneOrNamed(
  schema: z.ZodType | undefined,
  value: unknown,
): number | undefined {
  if (!(schema instanceof z.ZodUnion) || schema instanceof z.ZodDiscriminatedUnion)
    return undefined;
  const options = schema.options as readonly z.ZodType[];
  const one = options.findIndex((option) => option instanceof z.ZodDiscriminatedUnion);
  const several = options.findIndex((option) => option instanceof z.ZodRecord);
  if (one < 0 || several < 0 || !isRecord(value)) return undefined;
  const key = (options[one] as z.ZodDiscriminatedUnion).def.discriminator;
  return typeof value[key] === "string" ? one : several;
}

/** Of a union that a field tells apart, the form that the value has. */
function optionOf(schema: z.ZodType | undefined, value: unknown): z.ZodType | undefined {
  const form = formOfOneOrNamed(schema, value);
  if (form !== undefined) return optionOf((schema as z.ZodUnion).options[form] as z.ZodType, value);
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const key = schema.def.discriminator;
  const given = isRecord(value) ? value[key] : undefined;
  // The field itself says whether it may be left out.
  return schema.options.find(
    (option) => ((option as z.ZodObject).shape[key] as z.ZodType).safeParse(given).success,
  ) as z.ZodType | undefined;
}

function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema;
  for (;;) {
    if (
      current instanceof z.ZodOptional ||
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodNullable
    ) {
      current = current.unwrap() as z.ZodType;
    } else if (current instanceof z.ZodPipe) current = current.in as z.ZodType;
    else return current;
  }
}
