import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { RecordOptions, RunConfig } from "../../config/index.js";
import type { Tokenizer, TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import {
  readTeacherHead,
  type RecordingDescription,
  recordedSignals,
  recordingVersion,
  type Teacher,
  tokensPerPosition,
} from "../../teachers/index.js";
import { hashOfHead, readModelHead } from "../models/model-head.js";
import type { LoadedTeacher } from "../teachers/index.js";

interface Parts {
  readonly teacher: Teacher;
  readonly loadedTeacher: LoadedTeacher;
  readonly tokenizer: Tokenizer;
  /** Any row of the data, to see what the teacher gives per position. */
  readonly row: TokenSequence;
}

/** What a recording is to hold, before anything is recorded. */
export async function describeRecording(
  config: RunConfig,
  options: RecordOptions,
  parts: Parts,
): Promise<RecordingDescription> {
  const { teacher, loadedTeacher, tokenizer, row } = parts;
  const { output: _output, store, head: _head, ...recorded } = options;
  const common = {
    formatVersion: recordingVersion,
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
  } as const;
  if (store === "hidden-states")
    return { ...common, ...(await describeHead(config, options, parts)) };
  const isDrawn = recordedSignals(teacher).includes("teacherSampleLogProbs");
  return {
    ...common,
    tokens: isDrawn ? "draws" : "likeliest",
    k: await tokensPerPosition(teacher, row, tokenizer.padId),
    sampleTemperature: teacher.sampleTemperature ?? 1,
  };
}

/** Of a recording of hidden states: their size, and the head that goes with them. */
async function describeHead(
  { teacher: config }: RunConfig,
  options: RecordOptions,
  { teacher, tokenizer, row }: Parts,
) {
  const head = await readTeacherHead(teacher, row, tokenizer.padId);
  const { hiddenSize } = head;
  const hash = hashOfHead(head);
  const stored = { tokens: "hidden-states", hiddenSize } as const;
  if (options.head === "copy") return { ...stored, head: { hash, from: null } };
  const from = config !== undefined && "from" in config ? config.from : undefined;
  if (config?.type !== undefined && config.type !== "model") {
    throw new PupilError("names the folder of the teacher, which has none of a model.", {
      field: "head",
      value: options.head,
      remedy: "Leave it out: the head is stored beside the hidden states.",
    });
  }
  const there = await readModelHead(from as string);
  if (hashOfHead(there) !== hash) {
    throw new PupilError("The teacher uses another head than the one in its folder.", {
      field: "head",
      value: options.head,
      remedy:
        "Its student has another number of rows, or the teacher an adapter: leave `head` out to store the one that is used.",
    });
  }
  return { ...stored, head: { hash, from: from as string } };
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
