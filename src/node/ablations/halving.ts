import type { StopRule } from "../../config/index.js";
import type { StoppedAt } from "../executors/journal.js";

/** A measure of an evaluation; undefined where it has none of that name. */
export interface Evaluated {
  readonly step: number;
  readonly value: unknown;
}

/** Successive halving of runs that report at their own pace. */
export interface Halving {
  /** The steps at which runs are compared, in rising order. */
  readonly rungs: readonly number[];
  /**
   * Takes the evaluations that a run has so far, in order.
   *
   * @returns why it ends, if at a rung that it has newly reached it is not among the best; the same again until it has
   *   evaluated further, for whoever was not there to end it
   */
  add(run: string, evaluations: readonly Evaluated[]): StoppedAt | undefined;
}

/**
 * Asynchronous successive halving that stops runs. At rung r = minSteps·η^k the value of a run is that of its first
 * evaluation at or after step r. It goes on if it is among the best ⌈n/η⌉ of the n values that the rung has by then, its
 * own counted; a value that is not finite never is. No run waits for another, so which of them stop depends on the
 * order in which they arrive.
 *
 * Source: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", in the variant that stops runs in place
 * of promoting them.
 *
 * @param steps of a whole run: at and after its end nothing is compared
 */
export function halving(
  { metric, direction, minSteps, reduction }: StopRule,
  steps: number,
): Halving {
  const rungs: number[] = [];
  for (let at = minSteps; at < steps; at *= reduction) rungs.push(Math.ceil(at));
  const sign = direction === "lowest" ? 1 : -1;
  /** By rung the values that arrived, as costs, and the runs that they are of. */
  const arrived = rungs.map(() => new Map<string, number>());
  const pending = new Map<string, StoppedAt>();
  return {
    rungs,
    add(run, evaluations) {
      const last = evaluations.at(-1)?.step;
      const earlier = pending.get(run);
      let stop = earlier?.step === last ? earlier : undefined;
      for (const [k, rung] of rungs.entries()) {
        const values = arrived[k] as Map<string, number>;
        if (values.has(run)) continue;
        const found = evaluations.find(
          ({ step, value }) => step >= rung && typeof value === "number",
        );
        if (found === undefined) continue;
        const value = found.value as number;
        const cost = Number.isFinite(value) ? sign * value : Infinity;
        values.set(run, cost);
        const sorted = [...values.values()].sort((a, b) => a - b);
        const worst = sorted[Math.ceil(sorted.length / reduction) - 1] as number;
        if (cost <= worst && cost < Infinity) continue;
        const cutoff = worst === Infinity ? worst : sign * worst;
        stop ??= { step: found.step, metric, value, cutoff };
      }
      if (stop !== undefined) pending.set(run, stop);
      return stop;
    },
  };
}
