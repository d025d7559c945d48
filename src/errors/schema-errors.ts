import { z } from "zod";
import { nearest, oneOf, PupilError } from "./pupil-error.js";
import { showValue } from "./show-value.js";
import {
  discriminatorValues,
  fieldsAt,
  formOfOneOrNamed,
  isRecord,
  pathsTo,
  schemaAt,
  valueAt,
} from "./schema-walk.js";

/**
 * Parses with a schema; the error names path, value, what is allowed, and the nearest valid name. A field
 * that may be left out may be null too, which means the same.
 */
export function parseConfig<S extends z.ZodType>(
  schema: S,
  input: unknown,
  source: string,
): z.output<S> {
  const parsed = schema.safeParse(input, { reportInput: true });
  const result = parsed.success ? parsed : withoutNulls(schema, input, parsed);
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

/** The result without the nulls that were refused, where it is better for that. */
function withoutNulls<S extends z.ZodType>(
  schema: S,
  input: unknown,
  refused: z.ZodSafeParseError<z.output<S>>,
): z.ZodSafeParseResult<z.output<S>> {
  const nulls = refused.error.issues.filter(
    ({ path }) => path.length > 0 && valueAt(input, path) === null,
  );
  // What is nested too deeply to be copied is no config.
  const fewer = nulls.length === 0 ? undefined : copyOf(input);
  if (fewer === undefined) return refused;
  let removed = 0;
  for (const { path } of nulls) {
    const parent = valueAt(fewer, path.slice(0, -1));
    const key = String(path.at(-1));
    const field = fieldsAt(schema, input, path.slice(0, -1))[key];
    if (!isRecord(parent) || field?.safeParse(undefined).success !== true) continue;
    delete parent[key];
    removed++;
  }
  return removed === 0 ? refused : schema.safeParse(fewer, { reportInput: true });
}

function copyOf(input: unknown): unknown {
  try {
    return structuredClone(input);
  } catch {
    return undefined;
  }
}

function explain(schema: z.ZodType, root: unknown, issue: Issue): string[] {
  const path = issue.path.map(String);
  const here = path.join(".") || "the config";
  const given = valueAt(root, issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => explainKey(schema, root, issue.path, key));
    case "invalid_union":
      return explainUnion(schema, root, issue);
    case "invalid_value":
      // A schema that says more than what is allowed: why a value is not.
      return [`${here}${isOurs(issue.message) ? ":" : ""} ${explainIssue(issue, given)}`];
    case "invalid_key":
      return issue.issues.map((inner) => `${here}: its name does not fit: ${requirement(inner)}.`);
    case "invalid_element":
      return issue.issues.flatMap((inner) =>
        explain(schema, root, { ...inner, path: [...issue.path, ...inner.path] }),
      );
    default:
      return [`${here} ${explainIssue(issue, given)}`];
  }
}

/**
 * What is wrong with one value, as it is put behind the value's name: `is "x", expected number.`
 *
 * @param given the value at the issue's path
 */
export function explainIssue(issue: Issue, given: unknown): string {
  switch (issue.code) {
    case "invalid_value": {
      if (isOurs(issue.message)) return issue.message;
      const allowed = issue.values.map(String);
      if (given === undefined) return `is missing. Allowed: ${allowed.join(", ")}.`;
      return `is ${show(given)}. ${oneOf(nameOf(given), allowed)}`;
    }
    case "invalid_type":
      return given === undefined
        ? `is missing (expected ${expected(issue.expected)}).`
        : `is ${show(given)}, expected ${expectedOf(given, issue.expected)}.${bracketsFor(given, issue.expected)}`;
    case "unrecognized_keys":
      return `has fields that are not known: ${issue.keys.join(", ")}.`;
    default:
      // It has no default, or one that does not go with another field.
      return given === undefined
        ? `is left out: ${requirement(issue)}.`
        : `is ${show(given)}: ${requirement(issue)}.`;
  }
}

/** The first issue of an error in those words, and the path of its value. */
export function firstProblem(
  error: z.ZodError,
  input: unknown,
): { readonly path: readonly string[]; readonly value: unknown; readonly problem: string } {
  const [issue] = error.issues as [Issue];
  const value = valueAt(input, issue.path);
  return { path: issue.path.map(String), value, problem: explainIssue(issue, value) };
}

/** What a value of the right type does not fulfil. */
function requirement(issue: Issue): string {
  if (isOurs(issue.message)) return issue.message.replace(/\.$/, "");
  switch (issue.code) {
    case "too_small":
      return `expected ${bound(issue.origin, issue.minimum, issue.inclusive === false ? "more than" : "at least")}`;
    case "too_big":
      return `expected ${bound(issue.origin, issue.maximum, issue.inclusive === false ? "less than" : "at most")}`;
    case "not_multiple_of":
      return `expected a multiple of ${issue.divisor}`;
    case "invalid_format":
      return `expected ${issue.pattern ?? `the form "${issue.format}"`}`;
    default:
      return "it is not allowed";
  }
}

function bound(origin: string, limit: number | bigint, relation: string): string {
  const units: Record<string, string> = { string: "character", array: "entry", set: "entry" };
  const unit = units[origin];
  if (unit === undefined) return `${relation} ${limit}`;
  const plural = unit === "entry" ? "entries" : `${unit}s`;
  return `${relation} ${limit} ${Number(limit) === 1 ? unit : plural}`;
}

/** A schema's own message begins in lower case; those of zod itself never do. */
function isOurs(message: string): boolean {
  return !/^(Invalid|Too (big|small)|Unrecognized|Expected|Required|Input)\b/.test(message);
}

/** A list of one is what people leave the brackets of away, or the quotes that JSON has in it. */
function bracketsFor(given: unknown, type: string): string {
  if (typeof given !== "string" || type !== "array") return "";
  return ' Lists are written as in JSON: ["…"], or [{ … }] of objects.';
}

/** An infinite number is none to a schema. */
function expectedOf(given: unknown, type: string): string {
  return typeof given === "number" && type === "number" ? "finite number" : expected(type);
}

/** As people name what JSON has: it has lists only, and all its keys are strings. */
function expected(type: string): string {
  const names: Record<string, string> = {
    ...{ array: "list", tuple: "list", set: "list" },
    ...{ record: "object", map: "object", int: "whole number", bigint: "whole number" },
    ...{ undefined: "nothing", void: "nothing", never: "nothing", nan: "NaN" },
  };
  return names[type] ?? type;
}

function explainKey(
  schema: z.ZodType,
  root: unknown,
  path: readonly PropertyKey[],
  key: string,
): string {
  const field = [...path.map(String), key].join(".");
  const allowed = Object.keys(fieldsAt(schema, root, path));
  const near = nearest(key, allowed);
  const here = [...path.map(String), near].join(".");
  const elsewhere = pathsTo(schema, root, key).filter(
    (name) => name !== here && isSamePart(name, path),
  );
  const meant = [...(near === undefined ? [] : [near]), ...elsewhere.slice(0, 3)];
  const question =
    meant.length === 0 ? "" : `Did you mean ${meant.map((name) => `"${name}"`).join(" or ")}? `;
  return `${field} is not a field. ${question}Allowed: ${allowed.join(", ")}.`;
}

/** Whether a field is in the part of the config that `path` leads into; elsewhere its name means something else. */
function isSamePart(field: string, path: readonly PropertyKey[]): boolean {
  const [part] = path;
  return part === undefined || field.startsWith(`${String(part)}.`);
}

/** The schema at a path; of one thing or several by name, the form that the value has. */
function formAt(schema: z.ZodType, root: unknown, path: readonly PropertyKey[]) {
  const found = schemaAt(schema, root, path);
  const form = formOfOneOrNamed(found, valueAt(root, path));
  return form === undefined ? found : (found as z.ZodUnion).options[form];
}

type UnionIssue = Extract<Issue, { code: "invalid_union" }>;

function explainUnion(schema: z.ZodType, root: unknown, issue: UnionIssue): string[] {
  // A union that is told apart by a field reports the path of that field.
  const parent = issue.path.slice(0, -1);
  const union = formAt(schema, root, parent);
  if (union instanceof z.ZodDiscriminatedUnion && issue.path.at(-1) === union.def.discriminator) {
    return [explainDiscriminator(union, root, parent)];
  }
  const here = issue.path.map(String).join(".") || "the config";
  if (isOurs(issue.message)) return [`${here}: ${issue.message}`];
  const meant = formOfOneOrNamed(schemaAt(schema, root, issue.path), valueAt(root, issue.path));
  if (meant !== undefined) {
    return (issue.errors[meant] ?? []).flatMap((inner) =>
      explain(schema, root, { ...inner, path: [...issue.path, ...inner.path] }),
    );
  }
  const forms = issue.errors.map((problems) =>
    problems.map((problem): Issue => ({ ...problem, path: [...issue.path, ...problem.path] })),
  );
  // The form that the value was probably meant to have is the one that it is not altogether another type of.
  const given = valueAt(root, issue.path);
  const isOtherType = ([first]: readonly Issue[]) =>
    first?.path.length === issue.path.length &&
    (first.code === "invalid_type" ||
      (first.code === "invalid_value" && first.values.every((one) => typeof one !== typeof given)));
  const near = forms.filter((problems) => !isOtherType(problems));
  if (near.length === 1)
    return (near[0] as Issue[]).flatMap((inner) => explain(schema, root, inner));
  const types = forms.flatMap(([first]) =>
    first?.code === "invalid_type"
      ? [expected(first.expected)]
      : first?.code === "invalid_value"
        ? first.values.map((one) => show(one))
        : [],
  );
  if (near.length === 0 && types.length > 0) {
    const any = [...new Set(types)].join(" or ");
    return given === undefined
      ? [`${here} is missing (expected ${any}).`]
      : [`${here} is ${show(given)}, expected ${any}.`];
  }
  const each = near.map((problems) =>
    problems.flatMap((inner) => explain(schema, root, inner)).join(" "),
  );
  return [each.length === 0 ? `${here} is in none of its forms.` : each.join(" Or else: ")];
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

/** A value where a name should be; none but a short text can be near one. */
function nameOf(value: unknown): string {
  return typeof value === "object" ? "" : String(value).slice(0, 100);
}

function show(value: unknown): string {
  return typeof value === "number" ? String(value) : showValue(value, 60);
}
