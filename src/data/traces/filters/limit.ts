import { z } from "zod";
import { byProblem, drawSome } from "../choose.js";
import { defineTraceStep, type Trace } from "../trace.js";

export const limitFilter = defineTraceStep({
  name: "limit",
  kind: "filter",
  summary: "Keeps so many traces of each problem, and so many rows or tokens of all.",
  config: z.strictObject({
    perProblem: z.int().min(1).optional().describe("Traces of each problem, at most."),
    rows: z.int().min(1).optional().describe("Traces of all, at most."),
    tokens: z
      .int()
      .min(1)
      .optional()
      .describe(
        "Tokens of all completions, at most: traces from the one that would exceed it are left out. So corpora of equal size are made.",
      ),
    order: z
      .enum(["first", "random"])
      .default("first")
      .describe("Which ones: the first, or any; they stay in their order."),
  }),
  apply(traces, { perProblem, rows, tokens = Infinity, order }, context) {
    const some = (list: readonly Trace[], count: number | undefined, name: string) => {
      if (count === undefined) return list;
      const random = context.random.stream("limit", name);
      return order === "first" ? list.slice(0, count) : drawSome(list, count, random);
    };
    const groups = byProblem(traces).flatMap((group) =>
      some(group, perProblem, group[0]?.problem.id ?? ""),
    );
    const shuffled = some(groups, rows ?? (order === "random" ? groups.length : undefined), "rows");
    let sum = 0;
    const fits = shuffled.findIndex((trace) => (sum += trace.tokens) > tokens);
    return fits < 0 ? shuffled : shuffled.slice(0, fits);
  },
});
