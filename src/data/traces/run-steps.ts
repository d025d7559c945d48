import { PupilError } from "../../errors/index.js";
import {
  findPairMaker,
  findTraceStep,
  type PairMakerConfig,
  type TraceStepConfig,
} from "./list.js";
import type { Trace, TraceContext, TracePair } from "./trace.js";

/** What a step on traces made of them. */
export interface StepCount {
  readonly type: string;
  readonly kind: "filter" | "transform" | "pairs";
  readonly in: number;
  readonly out: number;
  /** Of a transform: traces that come out as they went in. */
  readonly unchanged?: number;
}

export interface StepRun {
  readonly traces: readonly Trace[];
  readonly counts: readonly StepCount[];
}

/**
 * Applies filters and transforms in their order.
 *
 * @throws PupilError naming the step that left nothing
 */
export async function runTraceSteps(
  traces: readonly Trace[],
  steps: readonly TraceStepConfig[],
  context: TraceContext,
): Promise<StepRun> {
  const counts: StepCount[] = [];
  let current = traces;
  for (const [i, config] of steps.entries()) {
    const { kind, apply } = findTraceStep(config.type);
    const random = context.random.stream("step", i);
    const after = await apply(current, config, { ...context, random });
    const before = new Set(current);
    const unchanged = after.filter((trace) => before.has(trace)).length;
    counts.push({
      ...{ type: config.type, kind, in: current.length, out: after.length },
      ...(kind === "transform" ? { unchanged } : {}),
    });
    if (after.length === 0) throw nothingLeft(`steps.${i}`, config.type, current);
    current = after;
  }
  return { traces: current, counts };
}

/**
 * Makes pairs.
 *
 * @throws PupilError if there are none
 */
export async function runPairMaker(
  traces: readonly Trace[],
  config: PairMakerConfig,
  context: TraceContext,
): Promise<{ readonly pairs: readonly TracePair[]; readonly count: StepCount }> {
  const random = context.random.stream("pairs");
  const pairs = await findPairMaker(config.type).make(traces, config, { ...context, random });
  if (pairs.length === 0) throw nothingLeft("pairs", config.type, traces);
  const count = { type: config.type, kind: "pairs", in: traces.length, out: pairs.length } as const;
  return { pairs, count };
}

function nothingLeft(field: string, type: string, before: readonly Trace[]): PupilError {
  const right = before.filter(({ correct }) => correct).length;
  const problems = new Set(before.map(({ problem }) => problem.id)).size;
  const few = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  return new PupilError(
    `"${type}" left nothing of ${few(before.length, "trace")} (${right} of them right, of ${few(problems, "problem")}).`,
    {
      field,
      value: type,
      remedy: "Collect from more problems, sample more, or leave this step out or loosen it.",
    },
  );
}
