import { z } from "zod";
import { defineTraceStep } from "../trace.js";

export const correctFilter = defineTraceStep({
  name: "correct",
  kind: "filter",
  summary: "Keeps traces with a right answer.",
  reference: "Fine-tune-CoT (Ho et al. 2023)",
  config: z.strictObject({}),
  apply: (traces) => traces.filter(({ correct }) => correct),
});
