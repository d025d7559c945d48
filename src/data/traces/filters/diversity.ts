import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { byProblem } from "../choose.js";
import { defineTraceStep, type Trace } from "../trace.js";

/**
 * Of each problem the first trace, then again and again the one whose least distance to those kept is
 * greatest. The distance is the edit distance in characters by the length of the longer one. [REC] The
 * paper's normalisation was not verified.
 */
export const diversityFilter = defineTraceStep({
  name: "diversity",
  kind: "filter",
  summary: "Keeps so many traces of each problem that are as different as can be.",
  reference: "Beyond Scaling Law (DED): dissimilar trajectories",
  config: z.strictObject({
    keep: z.int().min(1).default(2).describe("Traces of each problem, at most."),
    minimum: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("Least distance to every trace that is kept before, from 0 to 1."),
  }),
  apply: (traces, { keep, minimum }) => {
    const kept = new Set(byProblem(traces).flatMap((group) => farApart(group, keep, minimum)));
    return traces.filter((trace) => kept.has(trace));
  },
});

function farApart(group: readonly Trace[], keep: number, minimum: number): Trace[] {
  const chosen = group.slice(0, 1);
  while (chosen.length < keep) {
    const last = group
      .filter((trace) => !chosen.includes(trace))
      .map((trace) => ({ trace, least: Math.min(...chosen.map((c) => editDistance(c, trace))) }));
    const far = last.reduce<(typeof last)[number] | undefined>(
      (best, one) => (best === undefined || one.least > best.least ? one : best),
      undefined,
    );
    if (far === undefined || far.least < minimum || far.least === 0) break;
    chosen.push(far.trace);
  }
  return chosen;
}

/** From 0 (equal) to 1 (nothing in common). */
export function editDistance(a: Pick<Trace, "completion">, b: Pick<Trace, "completion">): number {
  const longest = Math.max(a.completion.length, b.completion.length);
  return longest === 0 ? 0 : distance(a.completion, b.completion) / longest;
}
