import { z } from "zod";
import { defineTraceStep } from "../trace.js";

export const sourceFilter = defineTraceStep({
  name: "source",
  kind: "filter",
  summary: "Keeps what some of the writers wrote.",
  config: z.strictObject({
    sources: z
      .array(z.string())
      .min(1)
      .describe("Their names as rows have them: oracle terse, student, teacher, data."),
  }),
  apply: (traces, { sources }) => traces.filter(({ source }) => sources.includes(source)),
});
