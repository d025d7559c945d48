import { z } from "zod";

/** One field of a component's config, as people read it. */
export interface FieldDescription {
  readonly path: string;
  readonly type: string;
  /** JSON of the default; absent for a required field. */
  readonly default?: string;
  readonly required: boolean;
  readonly description: string;
}

interface JsonSchema {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  default?: unknown;
  description?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** Every field of an object schema, nested objects flattened with dots; from the schema alone. */
export function describeFields(schema: z.ZodType): FieldDescription[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return fieldsOf(json, "");
}

function fieldsOf(json: JsonSchema, prefix: string): FieldDescription[] {
  return Object.entries(json.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const nested = field.properties === undefined ? [] : fieldsOf(field, `${path}.`);
    return [
      {
        path,
        type: typeOf(field),
        ...(field.default === undefined ? {} : { default: JSON.stringify(field.default) }),
        required: (json.required ?? []).includes(name) && field.default === undefined,
        description: field.description ?? "",
      },
      ...nested,
    ];
  });
}

function typeOf(field: JsonSchema): string {
  if (field.const !== undefined) return JSON.stringify(field.const);
  if (field.enum !== undefined) return field.enum.map((v) => JSON.stringify(v)).join(" | ");
  const forms = field.oneOf ?? field.anyOf;
  if (forms !== undefined) {
    const names = forms.map((form) => form.properties?.["type"]?.const ?? typeOf(form));
    return names.map(String).join(" | ");
  }
  if (field.items !== undefined) return `list of ${typeOf(field.items)}`;
  const type = Array.isArray(field.type) ? field.type.join(" | ") : (field.type ?? "any");
  return `${type}${rangeOf(field)}`;
}

/** JavaScript's safe-integer limits are bounds of the number type, not of the field. */
const isReal = (bound: number | undefined): bound is number =>
  bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;

function rangeOf(field: JsonSchema): string {
  const bounds: string[] = [];
  if (isReal(field.minimum)) bounds.push(`≥ ${field.minimum}`);
  if (isReal(field.exclusiveMinimum)) bounds.push(`> ${field.exclusiveMinimum}`);
  if (isReal(field.maximum)) bounds.push(`≤ ${field.maximum}`);
  if (isReal(field.exclusiveMaximum)) bounds.push(`< ${field.exclusiveMaximum}`);
  return bounds.length === 0 ? "" : ` ${bounds.join(", ")}`;
}
