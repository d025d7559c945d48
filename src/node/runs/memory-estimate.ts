import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs";
import type { PreparedData, RunConfig } from "../../config/index.js";
import { PupilError } from "../../errors/index.js";
import { type ModelConfig, parameterGroups } from "../../models/index.js";
import type { TeacherConfig } from "../../teachers/index.js";
import { findBaseModel, isAdapterFolder, readAdapterConfig } from "../models/adapter-folder.js";
import { findModelFolder } from "../models/find-model.js";
import { readModelConfig } from "../models/model-folder.js";

/** What a run has on the device at once, at the least, in bytes. */
export interface MemoryNeeds {
  readonly student: number;
  /** A gradient and both moments of AdamW for everything that is trained. */
  readonly training: number;
  readonly teacher: number;
  /** What the backward pass of one micro-batch needs of the forward pass. */
  readonly activations: number;
}

export interface MemoryParts {
  readonly student: ModelConfig;
  /** Those that are in this process. */
  readonly teachers: readonly ModelConfig[];
  /** Fewest tokens that a row of a step can have. */
  readonly shortestRow: number;
}

const float = 4;

/**
 * A lower bound, in float32: the weights of all models; three numbers more for each that is trained; and
 * per token and layer the inputs of both norms. What a step needs besides (attention, logits, copies) depends on
 * kernels and is left out, as is all but the weights of a student with an adapter: what is refused could not
 * have fitted.
 */
export function memoryNeeds(
  { trainer, student: { lora } }: Pick<RunConfig, "trainer" | "student">,
  { student, teachers, shortestRow }: MemoryParts,
): MemoryNeeds {
  const weights = numParameters(student);
  const rows = Math.ceil(rowsPerStep(trainer) / trainer.gradientAccumulationSteps);
  const holdsInitial = trainer.type === "reinforce" && trainer.reference === "initial";
  const isTrainedWhole = lora === undefined;
  const perToken = 2 * student.numLayers * student.hiddenSize;
  return {
    student: float * weights,
    training: isTrainedWhole ? float * 3 * weights : 0,
    teacher:
      float * teachers.reduce((sum, config) => sum + numParameters(config), 0) +
      (holdsInitial && isTrainedWhole ? float * weights : 0),
    activations: isTrainedWhole ? float * rows * shortestRow * perToken : 0,
  };
}

/** Rows of an optimizer step; of samplers that do not say how many they make, the fewest. */
function rowsPerStep(trainer: RunConfig["trainer"]): number {
  if (trainer.type !== "reinforce") return trainer.batchSize;
  const { batchSize, sampler, minibatches } = trainer;
  const samples = "samplesPerProblem" in sampler ? sampler.samplesPerProblem : 1;
  return Math.ceil((batchSize * samples) / minibatches);
}

function numParameters(config: ModelConfig): number {
  const groups: readonly number[] = Object.values(parameterGroups(config));
  return groups.reduce((sum, count) => sum + count, 0);
}

/** Tokens of the shortest row that a step can have; 1 where nobody knows. */
export function shortestRow(
  { trainer, data: { type } }: RunConfig,
  data: Pick<PreparedData, "lengths" | "positions">,
): number {
  // What a student writes may end at once.
  if (trainer.type === "reinforce") return 1;
  if (trainer.type === "distill" && trainer.onPolicyFraction > 0) return 1;
  if (type === "text") return data.positions;
  const lengths = data.lengths?.() ?? [];
  return lengths.length === 0 ? 1 : lengths.reduce((least, length) => Math.min(least, length));
}

/** The config of the model in a folder, or below the adapter in it. */
export async function folderConfig(from: string): Promise<ModelConfig> {
  const folder = await findModelFolder(from);
  const base = (await isAdapterFolder(folder))
    ? await findBaseModel(folder, await readAdapterConfig(folder))
    : folder;
  return (await readModelConfig(base)).config;
}

/** The configs of a teacher's models that are to be loaded into this process. */
export async function teacherConfigs(teacher: TeacherConfig | undefined): Promise<ModelConfig[]> {
  if (teacher === undefined) return [];
  if (teacher.type === "mixture") {
    const members = teacher.teachers as readonly TeacherConfig[];
    return (await Promise.all(members.map(teacherConfigs))).flat();
  }
  const isModel = teacher.type === undefined || teacher.type === "model";
  return isModel ? [await folderConfig(teacher.from)] : [];
}

/** The config of a frozen reference that is in a folder; the initial student is counted by the estimate. */
export async function referenceConfigs(trainer: RunConfig["trainer"]): Promise<ModelConfig[]> {
  if (trainer.type !== "reinforce") return [];
  const { reference } = trainer;
  return reference === undefined || reference === "initial" ? [] : [await folderConfig(reference)];
}

/** Bytes that the current backend can hold at most; undefined where nobody knows. */
function mostBytes(): number | undefined {
  const backend = tf.getBackend();
  if (backend !== "wasm" && backend !== "cpu") return undefined;
  // The addresses of the engine's memory have 32 bits.
  return Math.min(backend === "wasm" ? 2 ** 32 : Infinity, totalmem() + swapBytes());
}

function swapBytes(): number {
  if (process.platform !== "linux") return Infinity;
  const kibibytes = /^SwapTotal:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return 1024 * Number(kibibytes ?? 0);
}

/**
 * Refuses a run that cannot fit, before anything of it is made.
 *
 * @throws PupilError with what it needs and what there is
 */
export function requireMemory(needs: MemoryNeeds, most = mostBytes()): void {
  const total = Object.values(needs).reduce((sum: number, bytes: number) => sum + bytes, 0);
  if (most === undefined || total <= most) return;
  const parts = Object.entries(needs)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${gibibytes(bytes)}`);
  throw new PupilError(
    `The run needs at least ${gibibytes(total)} of memory (${parts.join(", ")}), and the ${tf.getBackend()} backend holds at most ${gibibytes(most)}.`,
    {
      field: "backend",
      remedy:
        "Use a smaller student or teacher, student.lora, more gradientAccumulationSteps, or a GPU (pupil doctor shows what there is).",
    },
  );
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
}
