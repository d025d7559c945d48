import { z } from "zod";
import { plainSampler } from "./plain.js";

/** Every sampler that a config can name. */
export const samplerDefinitions = [plainSampler] as const;

/** `{ type, …options of that sampler }`. */
export const samplerSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("plain"), ...plainSampler.config.shape }),
]);
export type SamplerConfig = z.output<typeof samplerSchema>;

export function findSampler(name: SamplerConfig["type"]) {
  return samplerDefinitions.find((sampler) => sampler.name === name) ?? plainSampler;
}
