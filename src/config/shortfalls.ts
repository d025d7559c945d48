import { learningRateAt } from "../optim/index.js";
import type { PreparedData } from "./datasets/index.js";
import type { RunConfig } from "./run.js";

/**
 * What is said, once and before a run, of settings that ask for more than there is: each with its value
 * and what comes of it.
 *
 * @param vocabSize the student's, from which is sampled
 * @param trains whether anything but an evaluation is done
 */
export function shortfallNotes(
  config: RunConfig,
  data: Pick<PreparedData, "training" | "ranking" | "problems" | "evaluation">,
  vocabSize: number,
  trains = true,
): string[] {
  const { trainer, evaluation } = config;
  const policies = {
    ...(trains && "sampling" in trainer ? { "trainer.sampling": trainer.sampling } : {}),
    ...(trains && "sampler" in trainer ? { "trainer.sampler": trainer.sampler } : {}),
    "evaluation.sampling": evaluation.sampling,
  };
  return [
    ...(trains ? batchNote(trainer, data) : []),
    ...(trains ? warmupNote(trainer) : []),
    ...evaluationNotes(evaluation, data.evaluation),
    ...Object.entries(policies).flatMap(([field, value]) => topKNotes(field, value, vocabSize)),
  ];
}

function batchNote(
  { type, batchSize }: RunConfig["trainer"],
  { training, ranking, problems }: Pick<PreparedData, "training" | "ranking" | "problems">,
): string[] {
  const sizes: Partial<Record<typeof type, readonly [what: string, size: number | undefined]>> = {
    rank: ["list", ranking?.size],
    pairs: ["pair", training.size],
    reinforce: ["problem", problems?.source.size("train")],
  };
  const [what, size = Infinity] = sizes[type] ?? ["row", training.size];
  if (batchSize <= size) return [];
  return [
    `trainer.batchSize is ${batchSize}, but there ${are(size, what)} to train on: a step has the same ones several times.`,
  ];
}

/** The peak is the learning rate of step `warmupSteps`, counted from 0. */
function warmupNote(trainer: RunConfig["trainer"]): string[] {
  const { steps, warmupSteps, learningRate } = trainer;
  if (warmupSteps < steps) return [];
  const last = learningRateAt(steps - 1, steps, trainer);
  return [
    `trainer.warmupSteps is ${warmupSteps}, but there ${are(steps, "step")}: ` +
      `the learning rate ends at ${Number(last.toPrecision(3))}, below trainer.learningRate (${learningRate}).`,
  ];
}

function evaluationNotes(
  { rows, traces = 0 }: RunConfig["evaluation"],
  sets: PreparedData["evaluation"],
): string[] {
  const few = (asked: number, field: string, what: string, count: (index: number) => number) => {
    const found = sets.flatMap(({ name }, i) =>
      count(i) < asked ? [`${name} has ${numberOf(count(i), what)}`] : [],
    );
    return found.length === 0 ? [] : [`${field} is ${asked}, but ${found.join(", ")}.`];
  };
  const held = sets.map((set) =>
    Math.max(set.rows.length, set.prompts.length, set.pairs?.length ?? 0, set.lists?.length ?? 0),
  );
  const prompts = sets.map((set) => set.prompts.length);
  return [
    ...few(rows, "evaluation.rows", "row", (i) => held[i] as number),
    ...few(traces, "evaluation.traces", "prompt", (i) => prompts[i] as number),
  ];
}

/**
 * Said of every `topK` in a value at `field` that is above the vocabulary, but for policies that take the
 * most likely token anyway.
 */
export function topKNotes(field: string, value: unknown, vocabSize: number): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { topK, greedy } = value as { topK?: unknown; greedy?: unknown };
  if (greedy === true) return [];
  const own =
    typeof topK === "number" && topK > vocabSize
      ? [`${field}.topK is ${topK}, but the vocabulary has ${vocabSize} tokens: none is left out.`]
      : [];
  const inner = Object.entries(value).flatMap(([key, part]) =>
    topKNotes(`${field}.${key}`, part, vocabSize),
  );
  return [...own, ...inner];
}

const numberOf = (count: number, what: string) =>
  `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
const are = (count: number, what: string) =>
  `${count === 1 ? "is" : "are"} ${numberOf(count, what)}`;
