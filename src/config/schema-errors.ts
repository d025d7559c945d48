import { z } from "zod";
import { oneOf, PupilError, showValue } from "../errors/index.js";

/** Parses with a schema; the error names path, value, what is allowed, and the nearest valid name. */
export function parseConfig<S extends z.ZodType>(
  schema: S,
  input: unknown,
  source: string,
): z.output<S> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => explain(schema, input, issue));
  throw new PupilError(
    problems.length === 1
      ? `${source}: ${problems[0]}`
      : `${source}: ${problems.length} problems:\n${problems.map((p) => `  - ${p}`).join("\n")}`,
    { value: input },
  );
}

type Issue = z.core.$ZodIssue;

function explain(schema: z.ZodType, root: unknown, issue: Issue): string[] {
  const path = issue.path.map(String);
  const here = path.join(".") || "the config";
  switch (issue.code) {
    case "unrecognized_keys": {
      const allowed = keysAt(schema, root, issue.path);
      const prefix = path.length > 0 ? `${path.join(".")}.` : "";
      return issue.keys.map((key) => `${prefix}${key} is not a field. ${oneOf(key, allowed)}`);
    }
    case "invalid_union": {
      // A union that is told apart by a field reports the path of that field.
      const parent = issue.path.slice(0, -1);
      const union = schemaAt(schema, root, parent);
      if (union instanceof z.ZodDiscriminatedUnion) {
        return [explainDiscriminator(union, root, parent)];
      }
      const inner = issue.errors.flat().map(({ message }) => message);
      return [`${here}: ${inner.length > 0 ? inner.join("; ") : issue.message}.`];
    }
    case "invalid_value": {
      // A schema that says more than what is allowed: why a value is not.
      if (!issue.message.startsWith("Invalid ")) return [`${here}: ${issue.message}`];
      const allowed = issue.values.map(String);
      return [`${here} is ${show(issue.input)}. ${oneOf(nameOf(issue.input), allowed)}`];
    }
    case "invalid_type":
      return issue.input === undefined
        ? [`${here} is missing (expected ${expected(issue.expected)}).`]
        : [`${here} is ${show(issue.input)}, expected ${expected(issue.expected)}.`];
    default: {
      // A check of several fields reports all of them as its input.
      const given = issue.code === "custom" ? valueAt(root, issue.path) : issue.input;
      return [`${here} is ${show(given)}: ${issue.message.replace(/\.$/, "")}.`];
    }
  }
}

/** JSON has lists only. */
function expected(type: string): string {
  return type === "array" || type === "tuple" ? "list" : type;
}

function explainDiscriminator(
  union: z.ZodDiscriminatedUnion,
  root: unknown,
  path: readonly PropertyKey[],
): string {
  const key = union.def.discriminator;
  const value = valueAt(root, path);
  const given = isRecord(value) ? value[key] : undefined;
  const field = [...path.map(String), key].join(".");
  const allowed = discriminatorValues(union);
  if (given === undefined) return `${field} is missing. Allowed: ${allowed.join(", ")}.`;
  return `${field} is ${show(given)}. ${oneOf(nameOf(given), allowed)}`;
}

function discriminatorValues(union: z.ZodDiscriminatedUnion): string[] {
  return union.options.flatMap((option) => {
    const literal = unwrap((option as z.ZodObject).shape[union.def.discriminator] as z.ZodType);
    return literal instanceof z.ZodLiteral ? [...literal.values].map(String) : [];
  });
}

/** Field names of the object schema at a path, following the input through unions. */
function keysAt(schema: z.ZodType, root: unknown, path: readonly PropertyKey[]): string[] {
  const found = schemaAt(schema, root, path);
  const object =
    found instanceof z.ZodDiscriminatedUnion ? optionFor(found, valueAt(root, path)) : found;
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function schemaAt(
  schema: z.ZodType,
  root: unknown,
  path: readonly PropertyKey[],
): z.ZodType | undefined {
  let current: z.ZodType | undefined = unwrap(schema);
  let value = root;
  for (const key of path) {
    if (current instanceof z.ZodDiscriminatedUnion) current = optionFor(current, value);
    if (current instanceof z.ZodObject) current = current.shape[String(key)] as z.ZodType;
    else if (current instanceof z.ZodArray) current = current.element as z.ZodType;
    else return undefined;
    current = current && unwrap(current);
    value = isRecord(value) || Array.isArray(value) ? (value as never)[key] : undefined;
  }
  return current;
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

function optionFor(union: z.ZodDiscriminatedUnion, value: unknown): z.ZodType | undefined {
  const key = union.def.discriminator;
  const given = isRecord(value) ? value[key] : undefined;
  // The field itself says whether it may be left out.
  return union.options.find(
    (option) => ((option as z.ZodObject).shape[key] as z.ZodType).safeParse(given).success,
  ) as z.ZodType | undefined;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isRecord(value) || Array.isArray(value) ? (value as never)[key] : undefined),
    root,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value where a name should be; none but a short text can be near one. */
function nameOf(value: unknown): string {
  return typeof value === "object" ? "" : String(value).slice(0, 100);
}

function show(value: unknown): string {
  return showValue(value, 60);
}
