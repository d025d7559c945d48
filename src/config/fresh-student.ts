import type { Tokenizer } from "../data/index.js";
import { parseConfig, PupilError } from "../errors/index.js";
import { type ModelConfig, modelConfigSchema } from "../models/index.js";
import { positionsNeeded } from "./completion-lengths.js";
import type { PreparedData } from "./datasets/index.js";
import type { RunConfig } from "./run.js";

/** Positions for all that is read and sampled, but for completions beyond what the teacher can read. */
export function freshContext(
  config: RunConfig,
  data: PreparedData,
  teacherContext = Number.POSITIVE_INFINITY,
): number {
  return Math.max(data.positions, Math.min(positionsNeeded(config, data), teacherContext));
}

/**
 * The shape of a fresh student: what the config says, and else as the tokenizer and the data need it.
 *
 * @throws PupilError for a vocabulary that lacks ids of the tokenizer
 */
export function freshStudentConfig(
  { student: { architecture } }: Pick<RunConfig, "student">,
  tokenizer: Pick<Tokenizer, "vocabSize" | "endIds" | "padId">,
  maxPositions: number,
): ModelConfig {
  const options = {
    vocabSize: tokenizer.vocabSize,
    maxPositions,
    eosTokenIds: [...tokenizer.endIds],
    padTokenId: tokenizer.endIds.length === 0 ? null : tokenizer.padId,
    ...architecture,
  };
  const model = parseConfig(modelConfigSchema, options, "student.architecture");
  if (model.vocabSize < tokenizer.vocabSize) {
    throw new PupilError(
      `is ${model.vocabSize}, but the tokenizer has ${tokenizer.vocabSize} ids.`,
      { field: "student.architecture.vocabSize", remedy: "Leave it out, or make it larger." },
    );
  }
  return model;
}
