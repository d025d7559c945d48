import { z } from "zod";
import { defineTraceStep } from "../trace.js";

export const anyFilter = defineTraceStep({
  name: "any",
  kind: "filter",
  summary: "Keeps every trace: the arm without a filter.",
  config: z.strictObject({}),
  apply: (traces) => traces,
});
