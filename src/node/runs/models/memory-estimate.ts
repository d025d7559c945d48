import * as tf from "@tensorflow/tfjs-core";
import type { PreparedData, RunConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import { gibibytes, largestMatrixBytes, weightBytes } from "../../../folders/index.js";
import { type LossTerm, needsOf } from "../../../losses/index.js";
import { contextLength, frozenBytes, type ModelConfig } from "../../../models/index.js";
import { bucketedLength } from "../../../tensors/index.js";
import type { TeacherConfig } from "../../../teachers/index.js";
import { findBaseModel, isAdapterFolder, readAdapterConfig } from "../../models/adapter-folder.js";
import { findModelFolder } from "../../models/find-model.js";
import { readModelConfig } from "../../models/model-folder.js";
import { deviceLimits } from "./device-limits.js";
import { askedScores } from "./list-teacher.js";

/** What a run has on the device at once, at the least, in bytes. */
export interface MemoryNeeds {
  readonly student: number;
  /** A gradient and both moments of AdamW for everything that is trained. */
  readonly training: number;
  readonly teacher: number;
  /** What the backward pass of one micro-batch needs of the forward pass: inputs of the norms. */
  readonly activations: number;
  /** The same: probabilities `[B, H, T, T]` of every layer. */
  readonly attention: number;
  /** `[B, T, V]` of the student, their gradient, and those of a teacher. */
  readonly logits: number;
}

export interface MemoryParts {
  readonly student: ModelConfig;
  /** Those that are in this process. */
  readonly teachers: readonly ModelConfig[];
  readonly terms: readonly LossTerm[];
  /** Without, there is neither optimizer nor backward pass. */
  readonly trains: boolean;
  /** Whether the student is an adapter already, which is all that is trained of it. */
  readonly isAdapter?: boolean;
  /** Fewest positions that a row of a step can have, before the backend rounds them up. */
  readonly fewestPositions: number;
}

const float = 4;

/**
 * A lower bound, in float32 (frozen matrices in 16 bits where the backend holds them so): the weights of all models; three numbers more for each that is trained; per token
 * and layer the inputs of both norms and the attention; and logits, unless every loss does without them (a
 * chunk of rows at a time). What a step needs besides (other activations, copies) depends on kernels and is
 * left out, as is what the forward pass of a student with an adapter keeps: what is refused could not have
 * fitted.
 */
export function memoryNeeds(
  { trainer, student: { lora } }: Pick<RunConfig, "trainer" | "student">,
  parts: MemoryParts,
): MemoryNeeds {
  const { student, teachers, terms, trains, isAdapter = false } = parts;
  const length = rowLength(trainer, parts);
  const weights = weightBytes(student);
  const { numLayers, numHeads, hiddenSize, vocabSize } = student;
  const positions = rowsAtOnce(trainer) * length;
  const isTrainedWhole = trains && lora === undefined && !isAdapter;
  const makesLogits = trains && !isChunked(trainer, terms);
  const ofTeacher = needsOf(terms).includes("teacherLogits") ? 1 : 0;
  const holdsInitial = trainer.type === "reinforce" && trainer.reference === "initial";
  return {
    student: weights,
    training: isTrainedWhole ? 3 * weights : 0,
    teacher:
      teachers.reduce((sum, config) => sum + frozenBytes(config), 0) +
      (holdsInitial && isTrainedWhole ? frozenBytes(student) : 0),
    activations: isTrainedWhole ? float * positions * 2 * numLayers * hiddenSize : 0,
    attention: isTrainedWhole ? float * positions * length * numHeads * numLayers : 0,
    logits: makesLogits ? float * positions * vocabSize * (2 + ofTeacher) : 0,
  };
}

/**
 * Positions of a row, as the current backend has them: on WebGPU lengths are rounded up, but not beyond a context. Several
 * sequences in a row are rounded up together, so that nothing is known of one, and lists are not rounded.
 */
function rowLength(
  trainer: RunConfig["trainer"],
  { student, teachers, fewestPositions }: MemoryParts,
): number {
  if (trainer.type === "rank" || ("packing" in trainer && trainer.packing)) return fewestPositions;
  return bucketedLength(fewestPositions, Math.min(...[student, ...teachers].map(contextLength)));
}

/** Whether a trainer makes no logits of a whole micro-batch that are large; scores of candidates are few. */
function isChunked({ type }: RunConfig["trainer"], terms: readonly LossTerm[]): boolean {
  return type === "rank" || terms.every(({ definition }) => definition.rowLosses !== undefined);
}

/** Rows of the largest micro-batch: a pair of answers is two, and a query has two candidates at the least. */
function rowsAtOnce(trainer: RunConfig["trainer"]): number {
  const drawn = Math.ceil(rowsPerStep(trainer) / trainer.gradientAccumulationSteps);
  return trainer.type === "pairs" || trainer.type === "rank" ? 2 * drawn : drawn;
}

/** The largest tensors of such a run, in bytes: no buffer of a GPU can hold more than its limit. */
export function largestTensors(
  { trainer }: Pick<RunConfig, "trainer">,
  parts: MemoryParts,
): Readonly<Record<string, number>> {
  const { student, teachers, terms, trains } = parts;
  const length = rowLength(trainer, parts);
  const positions = rowsAtOnce(trainer) * length;
  return {
    student: largestMatrixBytes(student),
    teacher: Math.max(0, ...teachers.map(largestMatrixBytes)),
    attention: trains ? float * positions * length * student.numHeads : 0,
    logits: trains && !isChunked(trainer, terms) ? float * positions * student.vocabSize : 0,
  };
}

/** Rows of an optimizer step; of samplers that do not say how many they make, the fewest. */
function rowsPerStep(trainer: RunConfig["trainer"]): number {
  if (trainer.type !== "reinforce") return trainer.batchSize;
  const { batchSize, sampler, minibatches } = trainer;
  const samples = "samplesPerProblem" in sampler ? sampler.samplesPerProblem : 1;
  return Math.ceil((batchSize * samples) / minibatches);
}

/** Positions of the shortest row that a step can have; 1 where nobody knows. */
export function fewestPositions(
  { trainer, data: { type } }: RunConfig,
  data: Pick<PreparedData, "lengths" | "positions">,
): number {
  // What a student writes may end at once.
  if (trainer.type === "reinforce") return 1;
  if (trainer.type === "distill" && trainer.onPolicyFraction > 0) return 1;
  if (type === "text") return data.positions;
  const lengths = data.lengths?.() ?? [];
  const shortest = lengths.reduce((least, length) => Math.min(least, length), Infinity);
  // The last token is predicted from what is before it.
  return Number.isFinite(shortest) ? Math.max(1, shortest - 1) : 1;
}

/** The config of the model in a folder, or below the adapter in it. */
export async function folderConfig(
  from: string,
): Promise<{ readonly config: ModelConfig; readonly isAdapter: boolean }> {
  const folder = await findModelFolder(from);
  const isAdapter = await isAdapterFolder(folder);
  const base = isAdapter ? await findBaseModel(folder, await readAdapterConfig(folder)) : folder;
  return { config: (await readModelConfig(base)).config, isAdapter };
}

/** The configs of a teacher's models that are to be loaded into this process. */
export async function teacherConfigs(teacher: TeacherConfig | undefined): Promise<ModelConfig[]> {
  if (teacher === undefined) return [];
  if (teacher.type === "mixture") {
    const members = teacher.teachers as readonly TeacherConfig[];
    return (await Promise.all(members.map(teacherConfigs))).flat();
  }
  const isModel = teacher.type === undefined || teacher.type === "model";
  return isModel ? [(await folderConfig(teacher.from)).config] : [];
}

/** The config of the reranker whose scores a run asks for. */
export async function listTeacherConfigs(config: RunConfig): Promise<ModelConfig[]> {
  const asked = askedScores(config)?.scores;
  if (asked?.type !== "model") return [];
  return [(await folderConfig(asked.from)).config];
}

/** The config of a frozen reference that is in a folder; the initial student is counted by the estimate. */
export async function referenceConfigs(trainer: RunConfig["trainer"]): Promise<ModelConfig[]> {
  if (trainer.type !== "reinforce") return [];
  const { reference } = trainer;
  if (reference === undefined || reference === "initial") return [];
  return [(await folderConfig(reference)).config];
}

/** Refuses a run that cannot fit: {@link requireMemory} for all of it. */
export function requireRunFits(
  config: Pick<RunConfig, "trainer" | "student">,
  parts: MemoryParts,
): void {
  requireMemory(memoryNeeds(config, parts), largestTensors(config, parts));
}

/**
 * Refuses what cannot fit, before anything of it is made.
 *
 * @param tensors the largest ones
 * @throws PupilError with what it needs, what there is, and what to lower
 */
export function requireMemory(
  needs: MemoryNeeds,
  tensors: Readonly<Record<string, number>> = {},
  { total: most, tensor: mostOfTensor } = deviceLimits(),
): void {
  const [name, bytes] = largestOf(tensors);
  if (mostOfTensor !== undefined && bytes > mostOfTensor) {
    throw new PupilError(
      `The run needs a tensor of at least ${gibibytes(bytes)} (${name}), and the GPU's buffers hold at most ${gibibytes(mostOfTensor)}.`,
      { field: "backend", remedy: `${remedies[name] ?? remedies["student"]}, or take wasm.` },
    );
  }
  const total = Object.values(needs).reduce((sum: number, part: number) => sum + part, 0);
  if (most === undefined || total <= most) return;
  const parts = Object.entries(needs)
    .filter(([, part]) => part > 0)
    .map(([part, size]) => `${part} ${gibibytes(size)}`);
  const remedy = remedies[largestOf({ ...needs })[0]] ?? remedies["student"];
  throw new PupilError(
    `The run needs at least ${gibibytes(total)} of memory (${parts.join(", ")}), and the ${tf.getBackend()} backend holds at most ${gibibytes(most)}.`,
    { field: "backend", remedy: `${remedy}, or a GPU (pupil doctor shows what there is).` },
  );
}

const shorterRows =
  "Lower trainer.batchSize, raise trainer.gradientAccumulationSteps, or shorten the rows (data.sequenceLength, data.maxLength)";

/** What to lower, by what is largest. */
const remedies: Readonly<Record<string, string>> = {
  student: "Use a smaller student (student.architecture), or a smaller student.from",
  training: "Use a smaller student, or student.lora",
  teacher: "Use a smaller teacher",
  activations: shorterRows,
  attention: shorterRows,
  logits: `${shorterRows}, or use losses that need no logits (those that pupil describe says are computed "from hidden states")`,
};

function largestOf(sizes: Readonly<Record<string, number>>): [name: string, bytes: number] {
  const [first = ["student", 0] as [string, number]] = Object.entries(sizes).sort(
    ([, a], [, b]) => b - a,
  );
  return first;
}
