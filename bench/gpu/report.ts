import type { ModelOptions } from "../../src/models/index.js";
import type { MatmulTiles } from "../../src/ops/index.js";
import { generation, modelOptions, scenarios } from "../scenarios.js";
import { type GpuCounts, gpuCountNames } from "./meter.js";
import type { Table } from "../tables/tables.js";

export interface GpuSize {
  readonly model: Pick<ModelOptions, "numLayers" | "hiddenSize" | "vocabSize"> & {
    readonly family: "llama";
    readonly intermediateSize: number;
    readonly numHeads: number;
    readonly maxPositions: number;
  };
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly promptLength: number;
  readonly newTokens: number;
}

const { promptLength, newTokens } = generation;

function scenario(name: "small" | "medium"): GpuSize {
  const { batchSize, sequenceLength } = scenarios[name];
  return { model: modelOptions(name), batchSize, sequenceLength, promptLength, newTokens };
}

/** Students of the benchmark. What is asked of a GPU is the same for `tiny` as for `small`, but for the arithmetic. */
export const gpuSizes = {
  tiny: {
    model: {
      ...modelOptions("small"),
      ...{ hiddenSize: 16, intermediateSize: 24, vocabSize: 24, numHeads: 2 },
    },
    ...{ batchSize: 2, sequenceLength: 8, promptLength: 3, newTokens: 16 },
  },
  small: scenario("small"),
  medium: scenario("medium"),
  base: {
    model: {
      ...{ family: "llama", numLayers: 12, hiddenSize: 768, numHeads: 12, vocabSize: 50257 },
      ...{ intermediateSize: 2048, maxPositions: 1024 },
    },
    ...{ batchSize: 4, sequenceLength: 512, promptLength, newTokens },
  },
} as const satisfies Record<string, GpuSize>;

export type GpuSizeName = keyof typeof gpuSizes;
export const gpuSizeNames = Object.keys(gpuSizes) as GpuSizeName[];

export interface GpuRequest {
  readonly size: GpuSizeName;
  /** Ours, tfjs's WebGPU backend with every op composed of its ops, or TensorFlow, of which nothing is counted. */
  readonly kernels: "own" | "composed" | "tensorflow";
  readonly steps: number;
  readonly tiles?: Partial<MatmulTiles>;
  /** Off-policy steps and products alone, as a sweep of tiles wants them. */
  readonly brief?: boolean;
}

/** What one step, or one generation, asked for. */
export interface GpuStep extends GpuCounts {
  readonly ms: number;
  /** Of these, those in which the host did not wait for the device to be read. */
  readonly hostMs: number;
  /** Positions trained on, or tokens generated. */
  readonly tokens: number;
  /** Positions of a row of the last batch that was trained on. */
  readonly length: number;
  /** Dispatches by pipeline. */
  readonly programs: Readonly<Record<string, number>>;
}

export interface GpuReport {
  readonly device: string;
  readonly kernels: GpuRequest["kernels"];
  readonly size: GpuSizeName;
  readonly offPolicy: readonly GpuStep[];
  readonly onPolicy: readonly GpuStep[];
  /** Of registers alone, and of our own product of two square matrices, of so many rows. */
  readonly fmaGflops?: number;
  readonly matmulGflops?: number;
  readonly matmulRows?: number;
  /** Of the device that tensors had at most while training; TensorFlow does not say. */
  readonly memoryBytes?: number;
  /** Of all the new tokens, and of half as many, with everything compiled. */
  readonly generations: readonly GpuStep[];
}

/**
 * Floating-point operations of the matrix products of a training step, the teacher's pass included: two for each weight
 * and token in a forward pass, twice that in the backward pass; attention over half of all keys.
 */
export function stepFlopsOf(size: GpuSizeName): number {
  const { model, batchSize, sequenceLength } = gpuSizes[size];
  const { numLayers, hiddenSize, intermediateSize, vocabSize } = model;
  const weights =
    numLayers * (4 * hiddenSize ** 2 + 3 * hiddenSize * intermediateSize) + hiddenSize * vocabSize;
  const attention = numLayers * 2 * hiddenSize * (sequenceLength / 2);
  return 8 * batchSize * sequenceLength * (weights + attention);
}

const labels: Readonly<Record<keyof GpuCounts, string>> = {
  dispatches: "dispatches",
  passes: "compute passes",
  submits: "submits",
  buffers: "buffers made",
  bindGroups: "bind groups made",
  pipelines: "pipelines compiled",
  readbacks: "readbacks",
};

const headers: Readonly<Record<GpuReport["kernels"], string>> = {
  own: "pupil",
  composed: "composed of tfjs's ops",
  tensorflow: "tensorflow",
};

/** Dispatches for one more token of every row: the difference of two generations by that of their lengths. */
export function dispatchesPerToken({ generations, size }: GpuReport): number {
  const [long, short] = generations as [GpuStep, GpuStep];
  const { batchSize } = gpuSizes[size];
  return (long.dispatches - short.dispatches) / ((long.tokens - short.tokens) / batchSize);
}

const perSecond = ({ tokens, ms }: GpuStep) =>
  Math.round((1000 * tokens) / ms).toLocaleString("en");

/** For a table. */
export const inMebibytes = (bytes: number | undefined) =>
  bytes === undefined ? "–" : Math.ceil(bytes / 2 ** 20).toLocaleString("en");

/** Ours beside the composed path, each at its last step. */
export function gpuTable(reports: readonly GpuReport[]): Table {
  const first = reports[0] as GpuReport;
  const last = (steps: readonly GpuStep[]) => steps.at(-1) as GpuStep;
  const row = (label: string, of: (report: GpuReport) => string) => [label, ...reports.map(of)];
  const kinds = [
    ["off-policy step", (report: GpuReport) => last(report.offPolicy)],
    ["on-policy step", (report: GpuReport) => last(report.onPolicy)],
    ["generation", (report: GpuReport) => report.generations[0] as GpuStep],
  ] as const;
  return {
    title: `WebGPU, ${first.size} student, ${first.device}`,
    note: `Counts of step ${first.offPolicy.length}; generation of ${gpuSizes[first.size].newTokens} tokens a row.`,
    header: ["", ...reports.map(({ kernels }) => headers[kernels])],
    rows: [
      ...kinds.flatMap(([name, stepOf]) => [
        ...gpuCountNames.map((count) =>
          row(`${name}: ${labels[count]}`, (report) => String(stepOf(report)[count])),
        ),
        row(`${name}: tokens/s`, (report) => perSecond(stepOf(report))),
      ]),
      row("dispatches per decoded token", (report) => dispatchesPerToken(report).toFixed(1)),
      ...(reports.some(({ matmulGflops }) => matmulGflops !== undefined)
        ? [
            row(`product of ${first.matmulRows}³: GFLOP/s`, ({ matmulGflops }) =>
              matmulGflops === undefined ? "–" : matmulGflops.toFixed(1),
            ),
          ]
        : []),
      row("memory of the device: MiB", ({ memoryBytes }) => inMebibytes(memoryBytes)),
    ],
  };
}
