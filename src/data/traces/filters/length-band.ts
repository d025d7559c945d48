import { z } from "zod";
import { defineTraceStep } from "../trace.js";

export const lengthBandFilter = defineTraceStep({
  name: "length-band",
  kind: "filter",
  summary: "Keeps traces that are neither too short nor too long.",
  reference: "Beyond Scaling Law (DED)",
  config: z.strictObject({
    minimum: z.int().min(0).default(0).describe("Fewest tokens, end token left out."),
    maximum: z.int().min(0).optional().describe("Most tokens."),
  }),
  apply: (traces, { minimum, maximum = Infinity }) =>
    traces.filter(({ tokens }) => tokens >= minimum && tokens <= maximum),
});
