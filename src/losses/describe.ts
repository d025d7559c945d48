import { z } from "zod";
import type { LossDefinition, LossInput } from "./define.js";

/** One option of a loss, for tables and forms. */
export interface LossField {
  readonly name: string;
  /** JSON Schema type: `number`, `boolean`. */
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
  readonly needs: readonly LossInput[];
  readonly fields: readonly LossField[];
}

/** What documentation and `pupil describe` say about a loss, read from its definition. */
export function describeLoss(definition: LossDefinition): LossDescription {
  const { name, summary, formula, reference, needs, config } = definition;
  const { properties = {} } = z.toJSONSchema(config, { io: "input" });
  const fields = Object.entries(properties).map(([field, schema]): LossField => {
    if (typeof schema === "boolean") throw new Error(`${name}.${field} accepts anything.`);
    const { type, default: value, description = "" } = schema;
    return { name: field, type: String(type), default: value, description };
  });
  return { name, summary, formula, reference, needs, fields };
}
