import type { StageRun } from "../../config/index.js";

type Architecture = NonNullable<StageRun["student"]["architecture"]>;

const llama = (hiddenSize: number, intermediateSize: number, numLayers: number): Architecture => ({
  ...{ family: "llama", hiddenSize, intermediateSize, numLayers },
  ...{ numHeads: 4, tieWordEmbeddings: true },
});

/** Sizes of models, in parameters without the embeddings. */
export const students = {
  /** 0.1 million. */
  S0: llama(64, 172, 2),
  /** 0.33 million. */
  S0w: llama(96, 256, 3),
  /** 0.8 million. */
  S1: llama(128, 344, 4),
  /** 4.7 million. */
  S2: llama(256, 688, 6),
} as const satisfies Record<string, Architecture>;

export type StudentSize = keyof typeof students;

/** Names of the sizes of `students`, from the smallest. */
export const studentSizes = Object.keys(students) as [StudentSize, ...StudentSize[]];

/**
 * A model with random weights.
 *
 * @param maxPositions by default as its first data needs; more where later data have longer rows
 */
export function freshStudent(size: StudentSize, maxPositions?: number): StageRun["student"] {
  const architecture = students[size];
  return {
    architecture: maxPositions === undefined ? architecture : { ...architecture, maxPositions },
  };
}

/** The model that an earlier stage made. */
export function fromStage(stage: string): StageRun["student"] {
  return { from: `stage:${stage}` };
}
