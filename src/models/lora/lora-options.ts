import { z } from "zod";

/** The fields of an adapter as a user writes them. */
export const loraSchema = z.strictObject({
  rank: z
    .int()
    .min(1)
    .max(65_536)
    .default(8)
    .describe("Width of the two matrices that are trained."),
  alpha: z
    .number()
    .positive()
    .max(1e9)
    .optional()
    .describe("What they add is scaled by alpha / rank. Default: the rank."),
  targets: z
    .union([z.literal("all-linear"), z.array(z.string()).min(1)])
    .default("all-linear")
    .describe('Which projections have them, such as ["q_proj", "v_proj"]; or "all-linear".'),
  rankStabilized: z
    .boolean()
    .default(false)
    .describe("Scales by alpha / sqrt(rank) instead (rsLoRA)."),
  initialization: z
    .enum(["kaiming", "gaussian"])
    .default("kaiming")
    .describe("How A begins: uniform within 1/sqrt(inputs), or normal with deviation 1/rank."),
});
export type LoraOptions = z.output<typeof loraSchema>;

/** An adapter's settings, complete: what PEFT's `adapter_config.json` says of it. */
export interface LoraSettings extends Omit<LoraOptions, "alpha" | "targets"> {
  readonly alpha: number;
  /** Names of projections: whole, or their last parts. */
  readonly targets: readonly string[];
  /** Path or name of the model that it was made for. */
  readonly baseModel?: string | undefined;
}

/**
 * What B·A is multiplied by: alpha / rank, or alpha / √rank where it is stabilized.
 *
 * @see Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA", arXiv 2312.03732
 */
export function loraScale({
  alpha,
  rank,
  rankStabilized,
}: Pick<LoraSettings, "alpha" | "rank" | "rankStabilized">): number {
  return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
}
