import { z } from "zod";
import type { LossDefinition, ValuesPer } from "./define.js";
import type { LossInput } from "./inputs.js";

/** One option of a loss, for tables and forms. */
export interface LossField {
  readonly name: string;
  /** JSON Schema type (`number`, `boolean`), or the strings that are allowed. */
  readonly type: string;
  readonly default: unknown;
  readonly description: string;
}

/** A definition as plain data. */
export interface LossDescription {
  readonly name: string;
  readonly summary: string;
  readonly formula: string;
  readonly reference: string;
  readonly whenToUse: string;
  readonly failureSignature: string;
  readonly per: ValuesPer;
  readonly needs: readonly LossInput[];
  /** Read where they are there. */
  readonly optional: readonly LossInput[];
  readonly fields: readonly LossField[];
}

type FieldSchema = z.core.JSONSchema.BaseSchema;

/** `number`, `"a" | "b"`, `number | null`. */
function typeOf({ type, enum: allowed, anyOf }: FieldSchema): string {
  if (allowed !== undefined) return allowed.map((entry) => JSON.stringify(entry)).join(" | ");
  if (anyOf !== undefined) return anyOf.map((form) => typeOf(form as FieldSchema)).join(" | ");
  return String(type);
}

/** What documentation and `pupil describe` say about a loss, read from its definition. */
export function describeLoss(definition: LossDefinition): LossDescription {
  const { name, summary, formula, reference, per, needs, config } = definition;
  const { whenToUse = "", failureSignature = "", optional = [] } = definition;
  const { properties = {} } = z.toJSONSchema(config, { io: "input" });
  const fields = Object.entries(properties).map(([field, schema]): LossField => {
    if (typeof schema === "boolean") throw new Error(`${name}.${field} accepts anything.`);
    const { default: value, description = "" } = schema;
    return { name: field, type: typeOf(schema), default: value, description };
  });
  return {
    name,
    summary,
    formula,
    reference,
    whenToUse,
    failureSignature,
    per,
    needs,
    optional,
    fields,
  };
}
