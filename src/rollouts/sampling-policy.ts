import { z } from "zod";

/** How the next token is chosen. Applied in this order: temperature, top-k, top-p. */
export const samplingPolicySchema = z.strictObject({
  samplingTemperature: z
    .number()
    .positive()
    .default(1)
    .describe("Divides the logits before sampling; below 1 it sharpens. Not the loss temperature."),
  topK: z
    .int()
    .min(0)
    .default(0)
    .describe("Samples from the k most likely tokens (and those tied with the k-th); 0 is off."),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("Samples from the fewest tokens that hold this much probability; 1 is off."),
  greedy: z
    .boolean()
    .default(false)
    .describe("Always takes the most likely token; the other fields then have no effect."),
});
export type SamplingPolicy = z.output<typeof samplingPolicySchema>;

/** Sampling from a model's distribution as it is. */
export const ownDistribution: SamplingPolicy = samplingPolicySchema.parse({});
