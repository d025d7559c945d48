import { z } from "zod";
import { pairMakerSchema, traceStepSchema } from "../data/index.js";
import { samplerSchema, samplingPolicySchema } from "../rollouts/index.js";
import { datasetSchema, datasetSchemaWith } from "./dataset-schema.js";
import type { OwnComponents } from "./own-components.js";
import { tokenizerSchema } from "./run.js";

const folder = (what: string) => z.string().min(1).optional().describe(what);

/** Everything that decides what `pupil collect` writes. */
export const collectConfigSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w][\w.-]*$/, "use letters, digits, dots, dashes and underscores")
    .describe("Name of the collection and of its folder."),
  seed: z.int().min(0).default(1).describe("Seed of problems and sampling."),
  backend: z
    .enum(["auto", "webgpu", "tensorflow", "wasm", "cpu"])
    .default("auto")
    .describe("Where to compute."),
  output: z.string().default("collections").describe("Folder that holds the collections."),
  problems: datasetSchema.describe(
    "Where problems come from: a task, or rows with a verifier. Those of training are taken.",
  ),
  start: z.int().min(0).default(0).describe("First problem, in the order of training."),
  count: z
    .int()
    .min(1)
    .optional()
    .describe("Problems. Needed for tasks, which have no end; default: all rows of files."),
  tokenizer: tokenizerSchema
    .optional()
    .describe("Default: the teacher's, else the student's, else characters."),
  student: folder(
    "Model folder or run folder of the student: it writes, or its likelihood is asked for.",
  ),
  teacher: folder("The same of a teacher that writes; of one tokenizer with the student."),
  traces: folder(
    "rows.jsonl of an earlier collection of the same problems, for samplers that begin with traces.",
  ),
  sampler: samplerSchema.describe("Where completions come from."),
  sampling: samplingPolicySchema.prefault({}).describe("How models sample."),
  maxNewTokens: z
    .int()
    .min(1)
    .optional()
    .describe("Longest completion that models write, in tokens. Default: as the data needs."),
  steps: z
    .array(traceStepSchema)
    .default([])
    .describe("Filters and transforms, in their order; each is counted in and out."),
  pairs: pairMakerSchema.optional().describe("Makes pairs of the traces that are left."),
  tasks: z
    .array(z.string())
    .default([])
    .describe("Modules that export tasks of your own. They run as code with your rights."),
  verifiers: z.array(z.string()).default([]).describe("The same with verifiers of your own."),
});

export type CollectConfig = z.output<typeof collectConfigSchema>;

/** The same where tasks and verifiers of the user's own can be named too. */
export function collectConfigSchemaWith(
  own: Pick<OwnComponents, "tasks" | "verifiers">,
): typeof collectConfigSchema {
  const { description = "" } = collectConfigSchema.shape.problems;
  return collectConfigSchema.extend({ problems: datasetSchemaWith(own).describe(description) });
}
