import {
  AdamW,
  crossEntropyLoss,
  datasetSchema,
  type Decoder,
  decoderFromTensors,
  decoderToTensors,
  distill,
  evaluateStudent,
  forwardKlLoss,
  initializeDecoder,
  type LossTerm,
  lossTerm,
  modelConfigSchema,
  type PreparedData,
  prepareData,
  Random,
  reverseKlLoss,
  type ScoredCompletion,
  scheduleSchema,
  sft,
  type StepMetrics,
  type Teacher,
  type Tokenizer,
} from "pupil";
import { ownDistribution } from "pupil/rollouts";
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
  /** Share that its most likely completions solve. */
  readonly greedyAccuracy: number;
  /** KL(teacher ‖ student) in nats per token of the student's own samples. */
  readonly forwardKl: number;
  /** KL(student ‖ teacher), likewise. */
  readonly reverseKl: number;
  readonly completions: readonly ScoredCompletion[];
}

export async function openClassroom(
  teacher: Teacher,
  tokenizer: Tokenizer,
  seed: number,
): Promise<Classroom> {
  const random = new Random(seed);
  const data = await prepareData(datasetSchema.parse(settings.data), {
    tokenizer,
    evaluationRows: settings.evaluationRows,
    random: random.stream("data"),
  });
  return { teacher, tokenizer, data, random };
}

/** The three ways to go on after the SFT; same steps, same problems. */
export const ways = {
  moreSft: { title: "more SFT", lesson: { loss: lossTerm(crossEntropyLoss, {}) } },
  offPolicy: {
    title: "off-policy, forward KL",
    lesson: { loss: lossTerm(forwardKlLoss, {}), onPolicyFraction: 0 },
  },
  onPolicy: {
    title: "on-policy, reverse KL",
    lesson: { loss: lossTerm(reverseKlLoss, {}), onPolicyFraction: 1 },
  },
} as const;

export const sftLesson: Lesson = { ...settings.sft, loss: lossTerm(crossEntropyLoss, {}) };

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
  const options = {
    batchSize: 100,
    tokenizer,
    maxNewTokens: data.maxNewTokens,
    random: random.stream("evaluation"),
  };
  const sampled = await evaluateStudent(student, teacher, heldOut, {
    ...options,
    sampling: ownDistribution,
  });
  const greedy = await evaluateStudent(student, undefined, heldOut, options);
  const value = (name: string) => sampled.metrics[`heldOut.${name}`] as number;
  return {
    accuracy: value("accuracy"),
    greedyAccuracy: greedy.metrics["heldOut.accuracy"] as number,
    forwardKl: value("forwardKl"),
    reverseKl: value("reverseKl"),
    completions: sampled.completions,
  };
}

/**
 * The steps of a lesson, which trains the student on the rows from `firstRow` on, so that lessons that start
 * at the same row see the same problems.
 */
export async function* lessonSteps(
  student: Decoder,
  classroom: Classroom,
  lesson: Lesson,
  firstRow: number,
): AsyncGenerator<StepMetrics, void, void> {
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
  yield* onPolicyFraction === undefined
    ? sft(common)
    : distill({ ...common, teacher, onPolicyFraction, maxNewTokens, random });
}

/** Runs a lesson to its end. Returns the speed in loss tokens per second. */
export async function teach(
  student: Decoder,
  classroom: Classroom,
  lesson: Lesson,
  firstRow: number,
  onStep: (metrics: StepMetrics) => void = () => {},
): Promise<number> {
  let tokens = 0;
  let elapsedMs = 0;
  for await (const metrics of lessonSteps(student, classroom, lesson, firstRow)) {
    tokens += metrics.tokens;
    elapsedMs += metrics.elapsedMs;
    onStep(metrics);
  }
  return (tokens / elapsedMs) * 1000;
}
