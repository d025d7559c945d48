import { z } from "zod";
import type { Stage } from "../../config/index.js";
import {
  additionProblems,
  baseSettings,
  countField,
  freshStudent,
  higher,
  keepField,
  rateField,
  rewardStage,
  rowsOf,
  stepsField,
  tracesStage,
  trainStage,
  warmSettings,
  warmStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";

/** A student learns without a hint what it says with one: a right attempt and its commonest mistake. */
export const ssb = defineMethod({
  number: 19,
  name: "ssb",
  title:
    "Semantic Soft Bootstrapping: Long Context Reasoning in LLMs without Reinforcement Learning",
  paper: { citation: "Mitra and Ulukus 2025", url: "https://arxiv.org/abs/2512.05105" },
  claim:
    "At equal generated tokens, a student that matches its own distribution under a hint (a right attempt and its commonest wrong one) is right more often than with GRPO, and than with SFT on the same texts.",
  fidelity: "faithful",
  note: "The base has learned to read hints from solutions by rule of problems that it does not meet again, where the paper's base reads them because it is large. GRPO is given the optimizer steps that write as many tokens: the table of costs has both.",
  settings: z.strictObject({
    ...baseSettings({
      problems: additionProblems(3, { style: "carries" }),
      ...{ batchSize: 8, evaluationRows: 300, evaluateEvery: 0 },
    }),
    ...warmSettings({ sftSteps: 850, steps: 70, learningRate: 1e-3 }),
    traces: countField(8000, "the base's SFT has without a hint, and as many with one"),
    asked: countField(1000, "the base attempts, for hints"),
    hint: z
      .string()
      .min(1)
      .default("§{good}¤{bad}¤")
      .describe("[REC] What it is told before the prompt then: {good}, {bad}, {answer}."),
    attempts: z.int().min(2).default(4).describe("K: attempts at each of them without a hint."),
    keep: keepField,
    temperature: z.number().positive().default(2).describe("τ of both distributions."),
    distillSteps: stepsField(150, "the student on the accepted texts"),
    distillRate: rateField(1e-3, "the student on them"),
    rank: z.int().min(1).default(32).describe("Rank of the adapter that all arms train."),
  }),
  paperSettings: {
    attempts: { value: 4, source: "SRC" },
    sampling: { value: "0.8 top-k 50; hinted 0.4 top-k 50", source: "SRC", here: "the same" },
    temperature: { value: 2, source: "SRC" },
    weights: { value: "λ_KD 1, λ_CE 0", source: "SRC", here: "1 and 0" },
    rank: { value: "32, alpha 32", source: "SRC" },
    distillRate: { value: 2e-4, source: "SRC" },
    batchSize: { value: 4, source: "SRC" },
    distillSteps: { value: "3 epochs of 256 samples", source: "SRC" },
  },
  needs: ["completion", "solve"],
  arms(s) {
    const { temperature, attempts, hint } = s;
    const tokenizer = { type: "character", characters: "§¤" } as const;
    const both = { type: "oracle", styles: [{ errorRate: 0 }, { errorRate: 1 }] };
    const base: Stage[] = [
      tracesStage("traces", s, { count: s.traces, tokenizer, sampler: { type: "oracle" } }),
      tracesStage("hints", s, {
        ...{ start: s.traces, count: s.traces, tokenizer, sampler: both },
        steps: [{ type: "with-prefix", prefix: hint }, { type: "correct" }],
      }),
      warmStage(s, {
        ...{ student: freshStudent(s.student, 128), tokenizer },
        data: rowsOf("traces", "hints"),
      }),
    ];
    const student = { from: "stage:sft", lora: { rank: s.rank, alpha: s.rank } };
    const accepted: Stage[] = [
      ...base,
      tracesStage("accepted", s, {
        ...{ start: 2 * s.traces, count: s.asked, student: "stage:sft" },
        sampler: { type: "hinted", template: `${hint}{prompt}`, attempts },
        ...{ sampling: { samplingTemperature: 0.4, topK: 50 }, steps: [{ type: s.keep }] },
      }),
    ];
    const learned = { steps: s.distillSteps, learningRate: s.distillRate, warmupSteps: 5 };
    const common = { student, data: rowsOf("accepted") };
    const plain = { type: "plain", samplesPerProblem: s.samplesPerProblem } as const;
    return {
      base,
      GRPO: [...base, rewardStage(s, { sampler: plain }, { student })],
      SFT: [
        ...accepted,
        trainStage("student", s, { ...common, trainer: { type: "sft", ...learned } }),
      ],
      SSB: [
        ...accepted,
        trainStage("student", s, {
          ...{ ...common, teacher: { type: "model", from: "stage:sft", prompt: "{shown}" } },
          trainer: {
            ...{ type: "distill", ...learned, onPolicyFraction: 0 },
            loss: [{ type: "forward-kl", temperature, temperatureSquared: true }],
          },
        }),
      ],
    };
  },
  baseline: "GRPO",
  comparisons: [higher(metric, "SSB"), higher(metric, "SSB", "SFT")],
  metrics: [metric, "heldOut.meanLength", "accepted.withoutHint"],
  fairness: {
    equal: "tokens",
    note: "All arms begin with the same base and train an adapter of one size. GRPO writes as many tokens as the attempts and hinted texts of the others, which take more optimizer steps on fewer rows.",
  },
  smoke: { hint: "§{answer}¤", keep: "any", rank: 4 },
});
