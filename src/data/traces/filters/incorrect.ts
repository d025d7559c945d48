import { z } from "zod";
import { defineTraceStep } from "../trace.js";

export const incorrectFilter = defineTraceStep({
  name: "incorrect",
  kind: "filter",
  summary: "Keeps traces with a wrong answer, or none.",
  reference: "W2SR: Incentivizing Strong Reasoning from Weak Supervision",
  config: z.strictObject({}),
  apply: (traces) => traces.filter(({ correct }) => !correct),
});
