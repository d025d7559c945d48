/**
 * What forms are made of: the losses and tasks of the registry as plain data, read from their schemas when the page is
 * built, so that the page paints without the engine.
 */
import { taskDefinitions } from "pupil/data";
import {
  describeLoss,
  inputsOf,
  type LossDefinition,
  lossDefinitions,
  type LossInput,
  lossInputFacts,
} from "pupil/losses";
import { teacherSignals } from "pupil/teachers";
import { z } from "zod";
import type { Json } from "./settings.js";

/** One option, as a control of a form. */
export interface Field {
  readonly name: string;
  readonly kind: "number" | "integer" | "boolean" | "choice" | "choices" | "json";
  readonly description: string;
  /** Absent where there is none. */
  readonly default?: Json;
  readonly least?: number;
  readonly most?: number;
  readonly choices?: readonly string[];
}

export interface LossEntry {
  readonly name: string;
  readonly summary: string;
  readonly direction: string;
  readonly formula: string;
  readonly whenToUse: string;
  readonly failureSignature: string;
  readonly fields: readonly Field[];
  /** Rows that it learns, where it is not all of them: the data's, or the student's own. */
  readonly rows?: "data" | "rollouts";
  /** What it needs of a teacher beside its logits: its likeliest tokens, or draws. */
  readonly lists?: "topK" | "samples";
  /** Whether it compares states of layers, which only a teacher that is a model has. */
  readonly ofLayers: boolean;
}

export interface TaskEntry {
  readonly name: string;
  readonly summary: string;
  readonly fields: readonly Field[];
  /** Whether the quickstart's teacher knows its characters. */
  readonly isForTeacher: boolean;
}

export interface Catalog {
  readonly losses: readonly LossEntry[];
  readonly tasks: readonly TaskEntry[];
}

/** What a trainer of distillation supplies. */
const supplied: readonly LossInput[] = [
  ...(["studentLogits", "labels", "tokenLogProbs", "positionMask"] as const),
  ...(["studentHiddenStates", "studentAttentions", "studentKeys", "studentValues"] as const),
  ...(["oldTokenLogProbs", "advantages"] as const),
  ...teacherSignals,
];

/** @param teacherCharacters of the vocabulary of the teacher that comes with the page */
export function makeCatalog(teacherCharacters: string): Catalog {
  const definitions: readonly LossDefinition[] = lossDefinitions;
  return {
    losses: definitions
      .filter(({ needs }) => needs.every((i) => supplied.includes(i)))
      .map(lossEntry),
    tasks: taskDefinitions.map(({ name, summary, config, alphabet }) => {
      const characters = [...alphabet(config.parse({}) as never)];
      return {
        ...{ name, summary, fields: fieldsOf(config) },
        isForTeacher: characters.every((character) => teacherCharacters.includes(character)),
      };
    }),
  };
}

function lossEntry(definition: LossDefinition): LossEntry {
  const { name, summary, direction, formula, whenToUse, failureSignature, ofLayers } =
    describeLoss(definition);
  const inputs = inputsOf(definition);
  const rows = inputs.map((input) => lossInputFacts(input).rows).find((one) => one !== undefined);
  const lists = inputs.includes("teacherSampleLogProbs")
    ? "samples"
    : inputs.includes("teacherTokenIds")
      ? "topK"
      : undefined;
  return {
    ...{ name, summary, direction, formula, whenToUse, failureSignature, ofLayers },
    fields: fieldsOf(definition.config),
    ...(rows && { rows }),
    ...(lists && { lists }),
  };
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly default?: Json;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** The options of a component, in the order of its schema. */
export function fieldsOf(schema: z.ZodObject): Field[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, property]): Field => {
    const { default: given, description = "", ...form } = property as Schema;
    return {
      ...{ name, description },
      ...kindOf(form),
      ...(given === undefined ? {} : { default: given }),
    };
  });
}

function kindOf(schema: Schema): Pick<Field, "kind" | "least" | "most" | "choices"> {
  const { type, anyOf = [], items } = schema;
  if (schema.enum !== undefined) return { kind: "choice", choices: schema.enum };
  if (type === "boolean") return { kind: "boolean" };
  if (type === "number" || type === "integer") {
    const least = schema.minimum ?? schema.exclusiveMinimum;
    const most = schema.maximum ?? schema.exclusiveMaximum;
    // Schemas of integers have the bounds of what is exact.
    const isBound = (x: number | undefined) => x !== undefined && Math.abs(x) < 2 ** 53 - 1;
    return {
      kind: type,
      ...(isBound(least) && { least: least as number }),
      ...(isBound(most) && { most: most as number }),
    };
  }
  const choices = items?.enum ?? anyOf.find((form) => form.enum !== undefined)?.enum;
  return choices === undefined ? { kind: "json" } : { kind: "choices", choices };
}
