import { type Settings, teacherPath, textPath } from "./settings.js";

/** Something to begin with, with what there is to see. */
export interface Preset {
  readonly title: string;
  readonly summary: string;
  readonly settings: Settings;
}

const common = { evaluation: { every: 0, rows: 32 }, checkpoint: { every: 0 } } as const;

/** The student writes half of the rows itself. */
const halfOnPolicy = {
  type: "distill",
  steps: 1500,
  batchSize: 16,
  learningRate: 0.003,
  schedule: "constant",
  warmupSteps: 10,
  onPolicyFraction: 0.5,
  loss: [{ type: "forward-kl" }],
};

/** Two hills on a ring of letters, learned by two students that are too small for both of them. */
const twoModes: Settings = {
  config: {
    name: "two-modes",
    seed: 1,
    data: { type: "text", path: textPath, sequenceLength: 16, promptLength: 1 },
    teacher: { type: "bimodal", offsets: [4, 11], weight: 0.6, width: 1.3 },
    tokenizer: { type: "character", characters: "" },
    student: { architecture: { family: "llama", hiddenSize: 2, numLayers: 1, numHeads: 1 } },
    trainer: {
      type: "distill",
      steps: 600,
      batchSize: 32,
      learningRate: 0.02,
      schedule: "constant",
      onPolicyFraction: 0,
      loss: [{ type: "forward-kl" }],
    },
    ...common,
  },
  text: { sample: "ring" },
  second: { "trainer.loss": [{ type: "reverse-kl" }] },
};

const addition: Settings = {
  config: {
    name: "addition",
    seed: 1,
    data: {
      type: "task",
      task: { type: "addition", minDigits: 3, maxDigits: 3, style: ["scratchpad", "direct"] },
    },
    teacher: { type: "model", from: teacherPath },
    student: {
      architecture: {
        family: "llama",
        hiddenSize: 64,
        numLayers: 2,
        numHeads: 4,
        tieWordEmbeddings: true,
      },
    },
    trainer: halfOnPolicy,
    ...common,
  },
};

const verse: Settings = {
  config: {
    name: "text",
    seed: 1,
    data: { type: "text", path: textPath, sequenceLength: 48, promptLength: 8 },
    teacher: { type: "n-gram", path: textPath, order: 4 },
    tokenizer: { type: "character", characters: "" },
    student: { architecture: { family: "llama", hiddenSize: 64, numLayers: 2, numHeads: 4 } },
    trainer: halfOnPolicy,
    ...common,
  },
  text: { sample: "verse" },
};

export const presets = {
  "two-modes": {
    title: "Two modes, two students",
    summary:
      "A teacher with two hills and two students that have room for one: the forward KL covers, the reverse KL seeks.",
    settings: twoModes,
  },
  addition: {
    title: "Addition, from a trained teacher",
    summary:
      "The quickstart's teacher of 794 thousand parameters adds three digits; the student writes half of the rows itself.",
    settings: addition,
  },
  text: {
    title: "A text of yours",
    summary: "The teacher is the n-gram of the text, whose true distribution is known.",
    settings: verse,
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
