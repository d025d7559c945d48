import { z } from "zod";
import { lossTermSchema, lossTermSchemaWith } from "../losses/index.js";
import { loraSchema, modelOptionsSchema } from "../models/index.js";
import { replaySchema, samplingPolicySchema } from "../rollouts/index.js";
import { alignmentSchema, teacherSchema, teacherSchemaWith } from "../teachers/index.js";
import { datasetSchema, datasetSchemaWith, evaluationDataSchema } from "./dataset-schema.js";
import { noOwnComponents, type OwnComponents } from "./own-components.js";
import { reinforceTrainerSchema, reinforceTrainerSchemaWith } from "./reinforce-trainer.js";
import { trainerFields } from "./trainer-fields.js";

const count = () => z.int().min(1);

export const studentSchema = z
  .strictObject({
    from: z.string().optional().describe("Model folder to start from. Or give `architecture`."),
    architecture: modelOptionsSchema
      .partial({ vocabSize: true, maxPositions: true })
      .optional()
      .describe("A fresh model; vocabSize comes from the tokenizer. Or give `from`."),
    lora: loraSchema
      .optional()
      .describe("Freezes the model of `from` and trains an adapter on it (LoRA) instead."),
  })
  .refine((student) => (student.from === undefined) !== (student.architecture === undefined), {
    message: "give either `from` (a model folder) or `architecture` (a fresh model)",
  })
  .refine((student) => student.lora === undefined || student.from !== undefined, {
    path: ["lora"],
    message: "an adapter needs a trained model below it: give `from`, or leave `lora` out",
  });

export const tokenizerSchema = z.discriminatedUnion("type", [
  z
    .strictObject({
      type: z.literal("character"),
      characters: z
        .string()
        .default("")
        .describe(
          "Characters beside those of the data, such as marks that methods put into prompts.",
        ),
    })
    .describe("One id per character of the data."),
  z.strictObject({ type: z.literal("byte") }).describe("One id per UTF-8 byte."),
  z
    .strictObject({
      type: z.literal("file"),
      path: z.string().describe("A tokenizer.json, or a folder that holds one."),
    })
    .describe("A Hugging Face tokenizer from disk."),
]);

const sftLoss = (term: typeof lossTermSchema) =>
  z
    .array(term)
    .min(1)
    .default([{ type: "cross-entropy", weight: 1, labelSmoothing: 0 }])
    .describe("Loss terms on labels.");

const distillLoss = (term: typeof lossTermSchema) =>
  z
    .array(term)
    .min(1)
    .describe(
      "Loss terms; their weighted sum is trained. Terms on labels count only rows of the data, terms on sampled tokens only the student's own.",
    );

const pairsLoss = (term: typeof lossTermSchema) =>
  z
    .array(term)
    .min(1)
    .describe("Loss terms on a preferred and a rejected answer; the teacher is the reference.");

export const sftTrainerSchema = z.strictObject({
  type: z.literal("sft"),
  ...trainerFields,
  loss: sftLoss(lossTermSchema),
});

export const distillTrainerSchema = z.strictObject({
  type: z.literal("distill"),
  ...trainerFields,
  onPolicyFraction: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("Share of rows whose completion the student samples itself (GKD's lambda)."),
  replay: replaySchema
    .optional()
    .describe(
      "In place of onPolicyFraction: whole steps of rows that the student wrote, now or before, the likelier the more the validation loss has risen (DistiLLM).",
    ),
  loss: distillLoss(lossTermSchema),
  sampling: samplingPolicySchema.prefault({}).describe("How the student samples."),
  advantageDiscount: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("For policy-gradient: how much later tokens count for the ones before them."),
  maxNewTokens: count()
    .optional()
    .describe("Longest completion the student samples. Default: the longest of the data."),
});

// A packed row is no example, and a loss on pairs has one value per example.
const { packing: _packing, ...pairsFields } = trainerFields;

export const pairsTrainerSchema = z.strictObject({
  type: z.literal("pairs"),
  ...pairsFields,
  loss: pairsLoss(lossTermSchema),
});

export const listScoresSourceSchema = z
  .discriminatedUnion("type", [
    z
      .strictObject({
        type: z.literal("model"),
        from: z.string().describe("Folder of a reranker: a model with a head for sequences."),
      })
      .describe("A reranker in this process, which reads the texts with its own tokenizer."),
    z
      .strictObject({
        type: z.literal("file"),
        path: z
          .string()
          .describe("A TREC run: query id, Q0, passage id, rank, score, tag; the score counts."),
      })
      .describe("Scores of every candidate in a file."),
  ])
  .describe("Where the teacher's scores come from.");

const rankLoss = (term: typeof lossTermSchema) =>
  z
    .array(term)
    .min(1)
    .describe(
      "Loss terms on lists of scores; each says with `scores` whether it learns the teacher's, the grades or relevance.",
    );

export const rankTrainerSchema = z.strictObject({
  type: z.literal("rank"),
  ...pairsFields,
  batchSize: count()
    .default(16)
    .describe("Queries per optimizer step, over all micro-batches; each has its candidates."),
  candidates: z
    .int()
    .min(2)
    .optional()
    .describe(
      "Most candidates of a query in a step: one with the highest grade, others at random. Default: all.",
    ),
  scores: listScoresSourceSchema.optional(),
  loss: rankLoss(lossTermSchema),
});

export const trainerSchema = z.discriminatedUnion("type", [
  sftTrainerSchema,
  distillTrainerSchema,
  pairsTrainerSchema,
  rankTrainerSchema,
  reinforceTrainerSchema,
]);

export const evaluationSchema = z.strictObject({
  every: z.int().min(0).default(200).describe("Steps between evaluations; 0: at the end only."),
  rows: count().default(128).describe("Held-out rows to evaluate on."),
  batchSize: count().default(32).describe("Rows per evaluation batch."),
  sampling: samplingPolicySchema
    .prefault({ greedy: true })
    .describe("How completions are made that are scored for accuracy."),
  maxNewTokens: count()
    .optional()
    .describe(
      "Longest completion in an evaluation. Default: as in training, or as `data` here needs.",
    ),
  data: evaluationDataSchema(datasetSchema),
  traces: count()
    .optional()
    .describe(
      "Prompts of each set for which an evaluation keeps, in traces.jsonl, how student and teacher see every token of the completion (docs/training-log.md says what it costs). Default: none.",
    ),
  window: z
    .strictObject({
      size: z.int().min(2).describe("Candidates that are ranked at once."),
      stride: z.int().min(1).describe("Places from one window up to the next."),
      scores: listScoresSourceSchema
        .optional()
        .describe(
          "Scores by which lists are sorted before the first window, such as those of the ranker of a first stage. Default: lists stay as the data has them.",
        ),
    })
    .refine(({ size, stride }) => stride < size, {
      path: ["stride"],
      message: "must be smaller than size, or nothing is carried from one window to the next",
    })
    .optional()
    .describe(
      "For students that write rankings: held-out lists are ranked a window at a time, from their end.",
    ),
  samplesPerPrompt: count()
    .optional()
    .describe(
      "Completions of each held-out prompt at temperature 1 (of reinforce: as in training), for passAt, majAt and the rewards. Default: 4 for reinforce, else none.",
    ),
});

const modules = (what: string) => z.array(z.string()).default([]).describe(what);

/** Everything that decides a run. */
export const runConfigSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w][\w.-]*$/, "use letters, digits, dots, dashes and underscores")
    .describe("Name of the run and of its folder."),
  seed: z.int().min(0).default(1).describe("Seed of weights, data order and sampling."),
  backend: z
    .enum(["auto", "webgpu", "tensorflow", "wasm", "cpu"])
    .default("auto")
    .describe("Where to compute."),
  output: z.string().default("runs").describe("Folder that holds the run folders."),
  student: studentSchema.describe("The model to train."),
  teacher: teacherSchema.optional().describe("The model to learn from; for distillation."),
  alignment: alignmentSchema.optional(),
  tokenizer: tokenizerSchema
    .optional()
    .describe("Default: the teacher's, else the student's, else characters."),
  data: datasetSchema.describe("What to train on."),
  losses: modules(
    "Modules that export losses of your own, which trainer.loss can then name. They run as code with your rights. Those that a run folder names outside of the working folder need trust=true beside the command's other words.",
  ),
  tasks: modules("The same with tasks of your own, for datasets of the type task."),
  verifiers: modules("The same with verifiers of your own, for the `verifier` of a dataset."),
  teachers: modules("The same with kinds of teachers of your own, for the `type` of a teacher."),
  rewards: modules("The same with rewards of your own, for trainer.rewards."),
  trainer: trainerSchema.describe("How to train."),
  evaluation: evaluationSchema.prefault({}).describe("What to measure, and when."),
  checkpoint: z
    .strictObject({
      every: z.int().min(0).default(200).describe("Steps between checkpoints; 0: at the end only."),
      keep: count().default(2).describe("How many of the last checkpoints to keep."),
    })
    .prefault({})
    .describe("When to save."),
});

/** The same where a run can name components of the user's own too: those that its lists of modules lead to. */
export function runConfigSchemaWith(own: Partial<OwnComponents>): typeof runConfigSchema {
  const { losses, rewards, teachers, ...ofData } = { ...noOwnComponents, ...own };
  const term = lossTermSchemaWith(losses);
  const trainer = z.discriminatedUnion("type", [
    sftTrainerSchema.extend({ loss: sftLoss(term) }),
    distillTrainerSchema.extend({ loss: distillLoss(term) }),
    pairsTrainerSchema.extend({ loss: pairsLoss(term) }),
    rankTrainerSchema.extend({ loss: rankLoss(term) }),
    reinforceTrainerSchemaWith(losses, rewards),
  ]);
  const data = datasetSchemaWith(ofData);
  const evaluation = evaluationSchema.extend({ data: evaluationDataSchema(data) }).prefault({});
  return runConfigSchema.extend({
    trainer: trainer.describe("How to train."),
    teacher: teacherSchemaWith(teachers)
      .optional()
      .describe("The model to learn from; for distillation."),
    data: data.describe("What to train on."),
    evaluation: evaluation.describe("What to measure, and when."),
  });
}

export type RunConfig = z.output<typeof runConfigSchema>;
