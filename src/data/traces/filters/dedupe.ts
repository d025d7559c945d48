import { z } from "zod";
import { defineTraceStep } from "../trace.js";

export const dedupeFilter = defineTraceStep({
  name: "dedupe",
  kind: "filter",
  summary: "Keeps the first of equal traces, or the traces of the first of equal problems.",
  config: z.strictObject({
    by: z
      .enum(["completion", "problem"])
      .default("completion")
      .describe("What is equal: prompt and completion; or the prompts of two problems."),
  }),
  apply(traces, { by }) {
    const first = new Map<string, string>();
    return traces.filter(({ problem, prompt, completion }, i) => {
      const key = by === "problem" ? problem.prompt : JSON.stringify([prompt, completion]);
      const own = by === "problem" ? problem.id : String(i);
      if (!first.has(key)) first.set(key, own);
      return first.get(key) === own;
    });
  },
});
