import { z } from "zod";
import {
  additionSettings,
  countField,
  freshStudent,
  higher,
  rateField,
  rowsOf,
  shareField,
  stepsField,
  tracesStage,
  trainStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";
const few = ", few";

/** Questions are learned forwards, turned round, and backwards. */
export const revthink = defineMethod({
  number: 48,
  name: "revthink",
  title: "Reverse Thinking Makes LLMs Stronger Reasoners (RevThink)",
  paper: { citation: "Chen et al., NAACL 2025", url: "https://arxiv.org/abs/2411.19865" },
  claim:
    "A student that learns forward reasoning, backward questions and backward reasoning beats one that learns forward reasoning or forward and backward reasoning, and with a tenth of the problems one that learns all of them forwards.",
  fidelity: "faithful",
  note: "All weights are trained, not a LoRA; prompts are not in the loss.",
  settings: z.strictObject({
    ...additionSettings(300),
    traceProblems: countField(3000, "there are"),
    fraction: shareField(0.1, "Share of them that the arms with few problems have."),
    steps: stepsField(600, "every arm"),
    learningRate: rateField(3e-3, "every arm"),
  }),
  paperSettings: {
    fraction: { value: 0.1, source: "ABS" },
    steps: { value: "10 epochs", source: "SRC" },
    batchSize: { value: "4 × 4", source: "SRC" },
    learningRate: { value: "5e-6 or 2e-4", source: "SRC" },
    adapter: { value: "LoRA r = 16, α = 32 on q and v", source: "SRC", here: "none" },
    weights: { value: "1/3 each", source: "SRC", here: "a row of each" },
  },
  needs: ["solve"],
  arms(s) {
    const arm = (count: number, views: readonly string[]) => [
      tracesStage("views", s, {
        ...{ count, tokenizer: { type: "character", characters: "§" } },
        sampler: { type: "oracle" },
        steps: [{ type: "correct" }, { type: "backward", views }],
      }),
      trainStage("sft", s, {
        student: freshStudent(s.student),
        tokenizer: { type: "character", characters: "§" },
        data: rowsOf("views"),
        trainer: {
          ...{ type: "sft", steps: s.steps, learningRate: s.learningRate },
          ...{ schedule: "cosine", warmupSteps: 10 },
        },
      }),
    ];
    const arms = (count: number, which: string) => ({
      [`forward${which}`]: arm(count, ["forward"]),
      [`forward and backward${which}`]: arm(count, ["forward", "backward"]),
      [`all three${which}`]: arm(count, ["forward", "question", "backward"]),
    });
    const fewer = Math.max(1, Math.round(s.traceProblems * s.fraction));
    return { ...arms(s.traceProblems, ""), ...arms(fewer, few) };
  },
  baseline: `forward${few}`,
  derived: {
    "few as good as all": {
      type: "contrast",
      terms: [
        { arm: `all three${few}`, metric, weight: 1 },
        { arm: "forward", metric, weight: -1 },
      ],
    },
  },
  comparisons: [
    higher(metric, `all three${few}`),
    higher(metric, `all three${few}`, `forward and backward${few}`),
    { derived: "few as good as all", direction: "higher" },
  ],
  metrics: [metric, "longer.accuracy", "heldOut.loss"],
  fairness: {
    equal: "steps",
    note: "As many steps of as many rows in all arms: with three views a third of them is of the problem itself.",
  },
  smoke: { traceProblems: 4, fraction: 0.5 },
});
