import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  baseSettings,
  fromStage,
  higher,
  isTask,
  lower,
  rankArm,
  type RankLoss,
  rankSettings,
  rateField,
  stepsField,
  trainStage,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const ndcg5 = "heldOut.ndcg5";
const calibration = "heldOut.calibrationError";

/** DeAR: a scorer distilled from a reranker, then a writer of reasons and orders on top of it. */
export const dear = defineMethod({
  number: 41,
  name: "dear",
  title: "DeAR: Dual-Stage Document Reranking with Reasoning Agents via LLM Distillation",
  paper: {
    citation: "Abdallah et al., Findings of EMNLP 2025",
    url: "https://arxiv.org/abs/2508.16998",
  },
  claim:
    "Cross-entropy or RankNet with a teacher's KL ranks better by nDCG@5 than either alone, the mix of all three is better calibrated than a main loss alone, and reasoning over windows improves on the first stage.",
  fidelity: "proxy",
  note: "Stage 2 learns the task's own reasons in place of those of a large model, and goes on with all weights in place of a second adapter; rows of files have no such reasons, so for them there is no stage 2. The task has no near-duplicates.",
  settings: z.strictObject({
    ...baseSettings({
      problems: { type: "task", task: { type: "rerank", topics: 6, synonyms: 2, passageWords: 3 } },
      ...{ batchSize: 8, evaluationRows: 100 },
    }),
    ...rankSettings(),
    alpha: z.number().gt(0).lt(1).default(0.1).describe("Share of the KL in the loss, α."),
    temperature: z.number().positive().default(2).describe("τ of the KL, which counts τ² times."),
    window: z.int().min(3).default(4).describe("Passages that stage 2 ranks at once."),
    stride: z.int().min(1).default(2).describe("Places from one window up to the next."),
    secondSteps: stepsField(500, "stage 2"),
    secondRate: rateField(2e-3, "stage 2"),
  }),
  paperSettings: {
    alpha: { value: "0.1 (script), 0.3 (default)", source: "SRC" },
    temperature: { value: 2, source: "SRC" },
    candidates: { value: 2, source: "SRC" },
    steps: { value: "2 epochs", source: "SRC" },
    learningRate: { value: 1e-4, source: "SRC" },
    secondRate: { value: 1e-4, source: "SRC" },
    window: { value: 20, source: "SRC" },
    stride: { value: 10, source: "SRC" },
    lora: { value: "r 32, α 64; stage 2: r 16", source: "SRC", here: "none" },
    loss: { value: "CE and KL (script)", source: "SRC", here: "an arm each" },
  },
  arms(s) {
    const { alpha, temperature, problems } = s;
    const kl = (weight: number): RankLoss => [
      { type: "list-kl", scores: "teacher", weight, temperature, temperatureSquared: true },
    ];
    const ce = (weight = 1): RankLoss => [
      { type: "candidate-cross-entropy", scores: "relevance", weight },
    ];
    const rankNet = (weight = 1): RankLoss => [
      { type: "rank-net", scores: "relevance", target: "soft", weight },
    ];
    const share = 1 - alpha;
    const withKl = (main: RankLoss) => rankArm(s, [...main, ...kl(alpha)], { teacher: true });
    const mix = withKl([...ce(share / 2), ...rankNet(share / 2)]);
    const arms: Record<string, Stage[]> = {
      CE: rankArm(s, ce(), { teacher: false }),
      RankNet: rankArm(s, rankNet(), { teacher: false }),
      KL: rankArm(s, kl(1), { teacher: true }),
      "CE + KL": withKl(ce(share)),
      "RankNet + KL": withKl(rankNet(share)),
      "mix + KL": mix,
      "ListNet + KL": withKl([{ type: "list-net", scores: "relevance", weight: share }]),
      "LambdaRank + KL": withKl([{ type: "lambda-rank", scores: "relevance", weight: share }]),
    };
    if (!isTask(problems)) return arms;
    const { window: size, stride, secondSteps: steps, secondRate: learningRate } = s;
    const scores = { type: "model", from: "stage:first" } as const;
    const second = trainStage("second", s, {
      student: fromStage("first"),
      data: withTask(problems, { candidates: size }),
      trainer: { type: "sft", steps, learningRate, schedule: "cosine", warmupSteps: 10 },
      evaluation: { window: { size, stride, scores } },
    });
    return { ...arms, "stage 2": [...mix, second] };
  },
  baseline: "CE",
  derived: ({ problems }) => {
    if (!isTask(problems)) return {};
    const after = { arm: "stage 2", metric: "heldOut.windowNdcg5", weight: 1 };
    const before = { arm: "mix + KL", metric: ndcg5, weight: -1 };
    return { gain: { type: "contrast", terms: [after, before] } };
  },
  comparisons: ({ problems }) => [
    higher(ndcg5, "CE + KL"),
    higher(ndcg5, "CE + KL", "KL"),
    higher(ndcg5, "RankNet + KL", "RankNet"),
    higher(ndcg5, "RankNet + KL", "KL"),
    lower(calibration, "mix + KL"),
    lower(calibration, "mix + KL", "RankNet"),
    ...(isTask(problems) ? [{ derived: "gain", direction: "higher" } as const] : []),
  ],
  metrics: ({ problems }) => [
    ...[ndcg5, "heldOut.ndcg1", "heldOut.ndcg10", calibration, "heldOut.kendallTau"],
    ...(isTask(problems) ? ["heldOut.windowNdcg5", "heldOut.windowWholeRate"] : []),
  ],
  fairness: {
    equal: "steps",
    note: "All students of stage 1 begin alike and take as many steps of as many lists; those with KL have a teacher's scores besides, and stage 2 takes its own steps after them.",
  },
});
