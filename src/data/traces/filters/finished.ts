import { z } from "zod";
import { defineTraceStep } from "../trace.js";

export const finishedFilter = defineTraceStep({
  name: "finished",
  kind: "filter",
  summary: "Keeps traces that came to their end; others were cut off.",
  config: z.strictObject({}),
  apply: (traces) => traces.filter(({ finished }) => finished),
});
