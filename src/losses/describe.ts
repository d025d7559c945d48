import { z } from "zod";
import { readsLayers } from "./combine.js";
import type { LossDefinition, ValuesPer } from "./define.js";
import { type LossInput, lossInputFacts } from "./inputs.js";
import { lossesByKind } from "./list.js";

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
  /** "—" where there is none. */
  readonly direction: string;
  readonly formula: string;
  readonly reference: string;
  readonly whenToUse: string;
  readonly failureSignature: string;
  readonly per: ValuesPer;
  readonly needs: readonly LossInput[];
  /** Read where they are there. */
  readonly optional: readonly LossInput[];
  readonly fields: readonly LossField[];
  /** Whether a term of it says which layers it compares. */
  readonly ofLayers: boolean;
  /** Whether a trainer can compute it without logits `[B, T, V]`. */
  readonly chunked: boolean;
  /** Source file of a built-in loss, from the root of the repository. */
  readonly file: string | undefined;
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
  const { direction = "—", whenToUse = "", failureSignature = "", optional = [] } = definition;
  const { properties = {} } = z.toJSONSchema(config, { io: "input" });
  const fields = Object.entries(properties).map(([field, schema]): LossField => {
    if (typeof schema === "boolean") throw new Error(`${name}.${field} accepts anything.`);
    const { default: value, description = "" } = schema;
    return { name: field, type: typeOf(schema), default: value, description };
  });
  return {
    name,
    summary,
    direction,
    formula,
    reference,
    whenToUse,
    failureSignature,
    per,
    needs,
    optional,
    fields,
    ofLayers: readsLayers(definition),
    chunked: definition.rowLosses !== undefined,
    file: fileOf(definition),
  };
}

/** A kind is a folder, a loss a file in it. */
function fileOf(definition: LossDefinition): string | undefined {
  const found = Object.entries(lossesByKind).find(([, losses]) =>
    (losses as readonly LossDefinition[]).includes(definition),
  );
  return found && `src/losses/${found[0]}/${definition.name}.ts`;
}

/**
 * What is to be known of a loss beside its options, as pairs of a label and a text.
 *
 * @param code marks up names and shapes
 */
export function lossFacts(
  loss: LossDescription,
  code: (text: string) => string = (text) => text,
): [label: string, text: string][] {
  const shape = (axes: string) => code(`[${axes.split(" ").join(", ")}]`);
  const input = (name: LossInput) => `${code(name)} ${shape(lossInputFacts(name).shape)}`;
  const optional =
    loss.optional.length === 0 ? "" : `; if given also ${loss.optional.map(input).join(", ")}`;
  const facts: [string, string | undefined][] = [
    ["Formula", loss.formula],
    ["Direction", loss.direction],
    ["Inputs", `${loss.needs.map(input).join(", ")}${optional}`],
    [
      "Gives",
      loss.per === "token"
        ? `a value per token, ${shape("B T")}`
        : `a value per row, ${shape("B")}`,
    ],
    [
      "Layers",
      loss.ofLayers
        ? `pairs of the student's and the teacher's in ${code("layers")}; by default the last of both`
        : undefined,
    ],
    [
      "Large vocabularies",
      loss.chunked ? "from hidden states, a chunk of rows of logits at a time" : undefined,
    ],
    ["When to use", loss.whenToUse],
    ["Failure signature", loss.failureSignature],
    ["Paper", loss.reference],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== "");
}
