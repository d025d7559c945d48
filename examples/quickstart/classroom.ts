import {
  AdamW,
  datasetSchema,
  type Decoder,
  decoderFromTensors,
  decoderToTensors,
  distill,
  evaluateStudent,
  initializeDecoder,
  type LossTerm,
  modelConfigSchema,
  ownDistribution,
  type PreparedData,
  prepareData,
  Random,
  type ScoredCompletion,
  scheduleSchema,
  sft,
  type Teacher,
  type Tokenizer,
} from "pupil";
import { settings } from "./settings.js";

/** What every student shares: teacher, tokenizer, data, and the seed. */
export interface Classroom {
  readonly teacher: Teacher;
  readonly tokenizer: Tokenizer;
  readonly data: PreparedData;
  readonly random: Random;
}

/** A number of optimizer steps with one loss. */
export interface Lesson {
  readonly steps: number;
  readonly learningRate: number;
  readonly schedule: "constant" | "cosine";
  readonly loss: LossTerm;
  /** Share of rows that the student writes itself; absent: no teacher, labels only. */
  readonly onPolicyFraction?: number;
}

export interface Measurement {
  /** Share of held-out problems that the student's own samples solve. */
  readonly accuracy: number;
  /** KL(teacher ‖ student) in nats per token of the student's own samples. */
  readonly forwardKl: number;
  /** KL(student ‖ teacher), likewise. */
  readonly reverseKl: number;
  readonly completions: readonly ScoredCompletion[];
}

export function openClassroom(teacher: Teacher, tokenizer: Tokenizer, seed: number): Classroom {
  const random = new Random(seed);
  const data = prepareData(datasetSchema.parse(settings.data), {
    tokenizer,
    evaluationRows: settings.evaluationRows,
    random: random.stream("data"),
  });
  return { teacher, tokenizer, data, random };
}

export function newStudent({ tokenizer, data, random }: Classroom): Decoder {
  const config = modelConfigSchema.parse({
    ...settings.student,
    vocabSize: tokenizer.vocabSize,
    maxPositions: data.positions,
  });
  return initializeDecoder(config, random.stream("weights"));
}

export async function copyOf(student: Decoder): Promise<Decoder> {
  return decoderFromTensors(student.config, await decoderToTensors(student), "student");
}

export async function measure(student: Decoder, classroom: Classroom): Promise<Measurement> {
  const { teacher, tokenizer, data, random } = classroom;
  const heldOut = data.evaluation.find((set) => set.name === "heldOut");
  if (heldOut === undefined) throw new Error("The task has no held-out set.");
  const { metrics, completions } = await evaluateStudent(student, teacher, heldOut, {
    batchSize: 100,
    tokenizer,
    maxNewTokens: data.maxNewTokens,
    sampling: ownDistribution,
    random: random.stream("evaluation"),
  });
  const value = (name: string) => metrics[`heldOut.${name}`] as number;
  return {
    accuracy: value("accuracy"),
    forwardKl: value("forwardKl"),
    reverseKl: value("reverseKl"),
    completions,
  };
}

/**
 * Trains the student on the rows from `firstRow` on, so that lessons that start at the same row see
 * the same problems. Returns the speed in loss tokens per second.
 */
export async function teach(
  student: Decoder,
  classroom: Classroom,
  lesson: Lesson,
  firstRow: number,
): Promise<number> {
  const { teacher, tokenizer, random, data } = classroom;
  const { steps, learningRate, schedule, onPolicyFraction } = lesson;
  using optimizer = new AdamW(student.parameters);
  const { training, maxNewTokens } = data;
  const rows = (step: number, count: number) => training.rows(firstRow + step, count);
  const common = {
    student,
    optimizer,
    tokenizer,
    steps,
    data: { ...training, rows },
    loss: [lesson.loss],
    batchSize: settings.batchSize,
    schedule: scheduleSchema.parse({ learningRate, schedule, warmupSteps: 10 }),
    maxGradNorm: 1,
  };
  const trainer =
    onPolicyFraction === undefined
      ? sft(common)
      : distill({ ...common, teacher, onPolicyFraction, maxNewTokens, random });
  let tokens = 0;
  let elapsedMs = 0;
  for await (const metrics of trainer) {
    tokens += metrics.tokens;
    elapsedMs += metrics.elapsedMs;
  }
  return (tokens / elapsedMs) * 1000;
}
