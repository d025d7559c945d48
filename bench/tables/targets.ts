import {
  alone,
  beside,
  type BenchmarkResults,
  findMeasurement,
  type Measurement,
} from "../results.js";
import { matmulSizes } from "../scenarios.js";

/** A goal as a ratio, larger is better; undefined ratios were not measured. */
export interface TargetResult {
  readonly name: string;
  readonly goal: number;
  /** From medians. */
  readonly ratio: number | undefined;
  /** From the best of all rounds: what the ratio is without other load on the machine. */
  readonly bestRatio: number | undefined;
}

type Statistic = "median" | "min";
/** Group, case, contestant. */
type Key = readonly [Measurement["group"], string, string];

/**
 * PyTorch with 1 or with all threads, whichever is better: where a busy machine makes its threads
 * wait for each other, that is not our merit.
 */
const torch = "torch";

/** The goals of the CPU engine and how far it got. */
export function compareWithTargets(results: BenchmarkResults): TargetResult[] {
  const { threads } = results;
  const ours = `pupil-${threads}`;
  const value = (statistic: Statistic, [group, name, contestant]: Key) => {
    const found = (id: string) => findMeasurement(results, group, name, id)?.[statistic];
    if (contestant !== torch) return found(contestant);
    const known = [found("torch-1"), found(`torch-${threads}`)].filter((v) => v !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  };
  const target = (name: string, goal: number, theirs: Key, own: Key): TargetResult => ({
    ...{ name, goal },
    ratio: divide(value("median", theirs), value("median", own)),
    bestRatio: divide(value("min", theirs), value("min", own)),
  });
  const training = (name: string, goal: number, other: string, label: string) =>
    target(
      `training step, ${name}: times faster than ${label}`,
      goal,
      ["training", name, other],
      ["training", name, ours],
    );
  // On one thread against one, on all against the better of PyTorch's.
  const againstTorch = (name: string, goal: number, [group, one]: readonly [Key[0], string]) =>
    [...new Set([1, threads])].map((n) =>
      target(
        `${name}, ${n === 1 ? "1 thread" : `${n} threads`}: times faster than PyTorch`,
        goal,
        [group, one, n === 1 ? "torch-1" : torch],
        [group, one, `pupil-${n}`],
      ),
    );
  return [
    training("small", 8, "stock", "stock tfjs wasm"),
    ...againstTorch("training step, small", 1.3, ["training", "small"]),
    ...againstTorch("training step, medium", 1.3, ["training", "medium"]),
    ...againstTorch("training step, large vocabulary", 2, ["training", "large-vocabulary"]),
    ...againstTorch("generation", 5, ["generation", "small"]),
    target(
      "two trainings side by side: speed that each keeps",
      0.5,
      ["side-by-side", alone, ours],
      ["side-by-side", beside, ours],
    ),
    ...againstTorch("matmul 512", 0.95, ["matmul", "512 nn"]),
    ...againstTorch("matmul 1024", 0.95, ["matmul", "1024 nn"]),
    target(
      "first step of a process: times faster than in WebAssembly",
      1,
      ["startup", "small", `pupil-wasm-${threads}`],
      ["startup", "small", ours],
    ),
    target(
      "large-vocabulary, loss part: PyTorch's peak memory over ours",
      2,
      ["memory", "large-vocabulary loss", torch],
      ["memory", "large-vocabulary loss", ours],
    ),
    slowestTransposed(value),
    target(
      "matmul 512, 1 thread: times faster than stock tfjs wasm, both untransposed",
      1.3,
      ["matmul", "512 nn", "stock"],
      ["matmul", "512 nn", "pupil-1"],
    ),
    ...(threads > 1
      ? [
          target(
            `matmul 512: times faster with ${threads} threads than with 1`,
            threads === 2 ? 1.7 : 0.85 * threads,
            ["matmul", "512 nn", "pupil-1"],
            ["matmul", "512 nn", ours],
          ),
        ]
      : []),
  ];
}

/** The transposed product that loses most against the plain one of its size, on one thread. */
function slowestTransposed(
  value: (statistic: Statistic, key: Key) => number | undefined,
): TargetResult {
  const worst = (statistic: Statistic) => {
    const ratios = matmulSizes.flatMap((size) =>
      ["tn", "nt"].map((variant) =>
        divide(
          value(statistic, ["matmul", `${size} nn`, "pupil-1"]),
          value(statistic, ["matmul", `${size} ${variant}`, "pupil-1"]),
        ),
      ),
    );
    const known = ratios.filter((ratio) => ratio !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  };
  return {
    name: "matmul, 1 thread: slowest transposed product, speed relative to the plain one",
    goal: 0.85,
    ratio: worst("median"),
    bestRatio: worst("min"),
  };
}

function divide(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}
