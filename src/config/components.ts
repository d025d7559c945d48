import type { z } from "zod";
import {
  fileDatasetSchema,
  hubDatasetSchema,
  jsonlDatasetSchema,
  pairMakers,
  pairsDatasetSchema,
  prontoqaDatasetSchema,
  rerankDatasetSchema,
  type TaskDefinition,
  taskDatasetSchema,
  taskDefinitions,
  textDatasetSchema,
  type VerifierDefinition,
  traceSteps,
  verifierDefinitions,
} from "../data/index.js";
import { describeLoss, type LossDefinition, lossDefinitions, lossFacts } from "../losses/index.js";
import { loraSchema, modelOptionsSchema } from "../models/index.js";
import {
  type RewardDefinition,
  rewardDefinitions,
  samplerDefinitions,
  samplingPolicySchema,
} from "../rollouts/index.js";
import { teacherKinds } from "../teachers/index.js";
import type { OwnComponents } from "./own-components.js";
import { collectConfigSchema } from "./collect.js";
import { recordOptionsSchema } from "./record-options.js";
import { reinforceTrainerSchema } from "./reinforce-trainer.js";
import {
  distillTrainerSchema,
  evaluationSchema,
  pairsTrainerSchema,
  rankTrainerSchema,
  runConfigSchema,
  sftTrainerSchema,
} from "./run.js";

export type ComponentKind =
  | "config"
  | "trainer"
  | "teacher"
  | "loss"
  | "reward"
  | "task"
  | "verifier"
  | "data"
  | "method"
  | "sampler"
  | "filter"
  | "transform"
  | "pair-maker";

/** Anything a config can name, as `pupil describe` and the generated docs show it. */
export interface Component {
  readonly kind: ComponentKind;
  readonly name: string;
  readonly summary: string;
  /** Formula, reference and the like, one line each. */
  readonly details: readonly string[];
  readonly schema: z.ZodType;
}

const plain = (
  kind: ComponentKind,
  name: string,
  summary: string,
  schema: z.ZodType,
): Component => ({ kind, name, summary, details: [], schema });

/** A loss, reward, task or verifier as a component, built-in or of the user's own. */
export function componentOf(
  kind: "loss" | "reward" | "task" | "teacher" | "verifier",
  definition: OwnComponents[keyof OwnComponents][number],
): Component {
  const { name, summary, config } = definition;
  return { kind, name, summary, details: detailsOf(definition), schema: config };
}

function detailsOf(definition: Parameters<typeof componentOf>[1]): string[] {
  if ("formula" in definition) return lossDetails(definition);
  if (!("needs" in definition)) return [];
  const { reference, needs } = definition;
  const listed = needs.length > 0 ? [`needs: ${needs.join(", ")}`] : [];
  return [`reference: ${reference}`, ...listed];
}

function lossDetails(definition: LossDefinition): string[] {
  const loss = describeLoss(definition);
  const facts = [...lossFacts(loss), ["file", loss.file] as const];
  return facts.map(([label, text]) => `${label.toLowerCase()}: ${text}`);
}

interface Block {
  readonly name: string;
  readonly summary: string;
  readonly reference?: string;
  readonly config: z.ZodType;
}

/** A block of a collection. */
const block = (kind: ComponentKind, { name, summary, reference, config }: Block): Component => ({
  ...{ kind, name, summary, schema: config },
  details: reference === undefined ? [] : [`reference: ${reference}`],
});

/** Every component; losses, tasks and verifiers come from their lists. */
export const components: readonly Component[] = [
  plain("config", "run", "Everything that decides a run.", runConfigSchema),
  plain("config", "architecture", "Shape of a fresh student.", modelOptionsSchema),
  plain("config", "lora", "An adapter that is trained on a frozen student.", loraSchema),
  plain("config", "sampling", "How the next token is chosen.", samplingPolicySchema),
  plain(
    "config",
    "record-teacher",
    "How a teacher's log-probabilities are stored.",
    recordOptionsSchema,
  ),
  plain("config", "collect", "What `pupil collect` writes, and from what.", collectConfigSchema),
  plain("config", "evaluation", "What is measured, and when.", evaluationSchema),
  plain("trainer", "sft", "Supervised fine-tuning on given completions.", sftTrainerSchema),
  plain(
    "trainer",
    "distill",
    "Distillation from a teacher's token-level logits, on and off policy.",
    distillTrainerSchema,
  ),
  plain(
    "trainer",
    "pairs",
    "Learning from a preferred and a rejected answer: REDI, DPO and the like.",
    pairsTrainerSchema,
  ),
  plain(
    "trainer",
    "rank",
    "Learning to rank: losses on the scores of a query's candidates.",
    rankTrainerSchema,
  ),
  plain(
    "trainer",
    "reinforce",
    "Reinforcement learning from verifiable rewards: GRPO and its kin, with or without a teacher.",
    reinforceTrainerSchema,
  ),
  ...teacherKinds.map(
    ({ type, summary, canGive, writesText, schema }): Component => ({
      kind: "teacher",
      name: type,
      summary,
      details: [
        `can give: ${canGive.join(", ")}`,
        `writes completions: ${writesText ? "yes" : "no"}`,
      ],
      schema,
    }),
  ),
  plain("data", "text", "Plain text, cut into windows.", textDatasetSchema),
  plain("data", "file", "Rows of JSONL, JSON, text, CSV, TSV or Parquet files.", fileDatasetSchema),
  plain("data", "jsonl", "`file` for one JSONL file.", jsonlDatasetSchema),
  plain("data", "hub", "Rows of a dataset on the Hugging Face Hub.", hubDatasetSchema),
  plain("data", "pairs", "Prompts with a preferred and a rejected answer.", pairsDatasetSchema),
  plain("data", "rerank", "Queries with graded passages, in TREC's form.", rerankDatasetSchema),
  plain("data", "prontoqa", "Files of PrOntoQA with a step checker.", prontoqaDatasetSchema),
  plain("data", "task", "A synthetic task with a verifier.", taskDatasetSchema),
  ...lossDefinitions.map((definition) => componentOf("loss", definition)),
  ...rewardDefinitions.map((definition) => componentOf("reward", definition as RewardDefinition)),
  ...taskDefinitions.map((definition) => componentOf("task", definition as TaskDefinition)),
  ...verifierDefinitions.map((definition) =>
    componentOf("verifier", definition as VerifierDefinition),
  ),
  ...samplerDefinitions.map((definition) => block("sampler", definition)),
  ...traceSteps.map((definition) => block(definition.kind, definition)),
  ...pairMakers.map((definition) => block("pair-maker", definition)),
];
