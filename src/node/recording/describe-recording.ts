import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { RecordOptions, RunConfig } from "../../config/index.js";
import type { Tokenizer, TokenSequence } from "../../data/index.js";
import {
  type RecordingDescription,
  recordedSignals,
  recordingVersion,
  type Teacher,
  tokensPerPosition,
} from "../../teachers/index.js";
import type { LoadedTeacher } from "../teachers/index.js";

/** What a recording is to hold, before anything is recorded. */
export async function describeRecording(
  config: RunConfig,
  options: RecordOptions,
  parts: {
    readonly teacher: Teacher;
    readonly loadedTeacher: LoadedTeacher;
    readonly tokenizer: Tokenizer;
    /** Any row of the data, to see how many tokens the teacher gives per position. */
    readonly row: TokenSequence;
  },
): Promise<RecordingDescription> {
  const { teacher, loadedTeacher, tokenizer, row } = parts;
  const isDrawn = recordedSignals(teacher).includes("teacherSampleLogProbs");
  const { output: _output, ...recorded } = options;
  return {
    formatVersion: recordingVersion,
    tokens: isDrawn ? "draws" : "likeliest",
    k: await tokensPerPosition(teacher, row, tokenizer.padId),
    sampleTemperature: teacher.sampleTemperature ?? 1,
    dtype: options.dtype,
    vocabSize: teacher.vocabSize,
    maxPositions: teacher.maxPositions ?? null,
    tokenizer: tokenizer.fingerprint,
    teacher: {
      name: teacher.name,
      config: config.teacher as Record<string, unknown>,
      ...(await hashOf(config, loadedTeacher)),
    },
    source: {
      data: config.data,
      seed: config.seed,
      // Both decide which rows a trainer reads of endless data.
      trainerBatchSize: config.trainer.batchSize,
      trainerSteps: config.trainer.steps,
      evaluationRows: config.evaluation.rows,
      ...recorded,
    },
  };
}

/** SHA-256 of the teacher's weights and settings, or of its config where it has no files here. */
async function hashOf(
  config: RunConfig,
  { weights = [], settings }: LoadedTeacher,
): Promise<Pick<RecordingDescription["teacher"], "hash" | "hashOf">> {
  const hash = createHash("sha256");
  if (weights.length === 0) {
    hash.update(JSON.stringify(config.teacher));
    return { hash: hash.digest("hex"), hashOf: "description" };
  }
  for (const path of weights) {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  }
  if (settings !== undefined) hash.update(JSON.stringify(settings));
  return { hash: hash.digest("hex"), hashOf: "weights" };
}
