import { oneOf, PupilError, showValue } from "../../errors/index.js";
import type { ModelConfig } from "../decoder/config.js";
import { families, type Family } from "../families/index.js";

/** What the outputs are scores of; it decides which loss `transformers` trains with. */
export const problemTypes = [
  "regression",
  "single_label_classification",
  "multi_label_classification",
] as const;
export type ProblemType = (typeof problemTypes)[number];

/** A head that gives a sequence one number, or one for each label. */
export interface HeadConfig {
  readonly numLabels: number;
  /** Names of the outputs. */
  readonly labels: readonly string[];
  readonly problemType: ProblemType | null;
}

/** Keys of a `config.json` that only models with such a head have. */
export const headKeys: readonly string[] = ["num_labels", "id2label", "label2id", "problem_type"];

const suffix = "ForSequenceClassification";

/** The class of `transformers` for a family with such a head. */
export function headArchitecture({ family }: ModelConfig): string {
  const { architecture } = (families[family] as Family).huggingFace;
  return architecture.replace(/(ForCausalLM|LMHeadModel)$/, suffix);
}

/** `LABEL_0`, `LABEL_1`, …, as `transformers` calls what has no name. */
export function defaultLabels(numLabels: number): string[] {
  return Array.from({ length: numLabels }, (_, i) => `LABEL_${i}`);
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads what a Hugging Face `config.json` says of its head: `id2label`, `num_labels` (2 where both are
 * absent, as in `transformers`) and `problem_type`.
 *
 * @param source how errors call the file, such as its path
 * @throws PupilError for a model with another head, and labels that are not numbered 0, 1, 2, …
 */
export function parseHeadConfig(json: unknown, source: string): HeadConfig {
  const file = json as Json;
  const fail = (key: string, problem: string, remedy?: string): never => {
    const details = { field: `${source}: ${key}`, value: file[key] };
    throw new PupilError(problem, remedy === undefined ? details : { ...details, remedy });
  };
  const { architectures } = file;
  const hasHead = (name: unknown) => typeof name === "string" && name.endsWith(suffix);
  if (Array.isArray(architectures) && !architectures.some(hasHead)) {
    const remedy = `It needs a score for whole sequences (…${suffix}); withHead puts one on a language model.`;
    const names = architectures.map((name) => (typeof name === "string" ? name : showValue(name)));
    fail("architectures", `${names.join(", ")} has no such head.`, remedy);
  }
  const labels = readLabels(file, fail);
  const { num_labels: given, problem_type: problemType = null } = file;
  const numLabels = given ?? labels?.length ?? 2;
  if (typeof numLabels !== "number" || !Number.isInteger(numLabels) || numLabels < 1) {
    return fail("num_labels", `${showValue(numLabels)} is no number of labels.`);
  }
  if (labels !== undefined && labels.length !== numLabels) {
    fail("num_labels", `It is ${numLabels}, but id2label has ${labels.length} labels.`);
  }
  const known = problemTypes.find((type) => type === problemType) ?? null;
  if (known === null && problemType !== null) {
    const problem = `${showValue(problemType)} is not supported.`;
    const near = typeof problemType === "string" ? problemType : "";
    fail("problem_type", problem, oneOf(near, problemTypes));
  }
  return { numLabels, labels: labels ?? defaultLabels(numLabels), problemType: known };
}

function readLabels(
  { id2label }: Json,
  fail: (key: string, problem: string) => never,
): string[] | undefined {
  if (id2label === undefined || id2label === null) return undefined;
  const map = new Map(Object.entries(id2label));
  return Array.from({ length: map.size }, (_, i) => {
    const label = map.get(String(i));
    return typeof label === "string" ? label : fail("id2label", `It has no label for ${i}.`);
  });
}

/** The keys of a `config.json` for a head, to be put over those of the language model. */
export function toHeadKeys(config: ModelConfig, head: HeadConfig): Record<string, unknown> {
  return {
    architectures: [headArchitecture(config)],
    id2label: Object.fromEntries(head.labels.map((label, i) => [String(i), label])),
    label2id: Object.fromEntries(head.labels.map((label, i) => [label, i])),
    problem_type: head.problemType,
  };
}
