import type { Group } from "./arguments.js";

/** One of the programs compared. */
export interface ContestantInfo {
  /** `stock`, `jax`, `pupil-2`, `torch-1`, … */
  readonly id: string;
  readonly label: string;
  readonly threads: number;
  /** The only groups it is measured in; absent: all. */
  readonly only?: readonly Group[];
}

export function takesPart({ only }: ContestantInfo, group: Group): boolean {
  return only === undefined || only.includes(group);
}

/** Of one contestant in one case: `small` (training, generation, startup), `512 nt` (matmul), … */
export interface Measurement {
  readonly group: Exclude<Group, "hardware" | "loss-memory">;
  readonly case: string;
  readonly contestant: string;
  readonly unit: "ms" | "bytes";
  readonly median: number;
  readonly min: number;
  /** One value a round. */
  readonly rounds: readonly number[];
}

/** Cases of the group `side-by-side`. */
export const alone = "small, alone";
export const beside = "small, beside another";

/** What the machine can do at most with the instructions that WebAssembly has. */
export interface Hardware {
  /** Fused multiply-adds on 128-bit vectors in registers, 2 operations a lane. */
  readonly fusedMultiplyAdd: boolean;
  readonly peakGflops: number;
  readonly peakGflopsAllThreads: number;
  /** The same in the widest vectors of the CPU, where there is a C compiler to measure it with. */
  readonly native?: {
    readonly bits: number;
    readonly gflops: number;
    readonly gflopsAllThreads: number;
  };
  /** Bytes read plus bytes written per second of a copy that fits in no cache, in 1e9. */
  readonly copyGigabytes: number;
  readonly copyGigabytesAllThreads: number;
}

/** `plain` makes all logits at once, `fused` a chunk of rows at a time. */
export type LossForm = "plain" | "fused";

/** What `loss-part.ts` prints. */
export interface LossPartAnswer {
  /** Most bytes in use in the engine, over what was in use before: hidden states and heads. */
  readonly peakBytes: number;
  /** The most that the process ever had in memory, everything included. */
  readonly maxRssBytes: number;
  readonly cpuMs: readonly number[];
  /** To see that both forms compute the same. */
  readonly value: number;
  readonly gradientNorm: number;
}

export interface LossPart extends LossPartAnswer {
  readonly loss: string;
  readonly form: LossForm;
  readonly vocabSize: number;
}

export interface BenchmarkResults {
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly system: string;
    readonly node: string;
    readonly torch?: string;
    /** Mean number of running processes over the minute before the start and the end. */
    readonly loadBefore: number;
    readonly loadAfter: number;
  };
  readonly command: string;
  readonly threads: number;
  readonly contestants: readonly ContestantInfo[];
  readonly skipped: readonly string[];
  readonly measurements: readonly Measurement[];
  readonly hardware?: Hardware;
  readonly lossParts?: readonly LossPart[];
  /** Largest relative difference of the first losses to ours, by scenario. */
  readonly lossDifferences: Readonly<Record<string, number>>;
}

/** Losses of all contestants must agree to this, relative. */
export const lossTolerance = 1e-3;

export function findMeasurement(
  results: BenchmarkResults,
  group: Measurement["group"],
  name: string,
  contestant: string,
): Measurement | undefined {
  return results.measurements.find(
    (m) => m.group === group && m.case === name && m.contestant === contestant,
  );
}
