import { z } from "zod";
import type { Aggregation } from "./define.js";

/** How a loss of sampled tokens is averaged, as fields of its config; see {@link aggregationOf}. */
export function aggregationFields(description: string) {
  return {
    aggregation: z
      .enum(["token", "sequence", "fixed-length"])
      .default("token")
      .describe(description),
    fixedLength: z
      .int()
      .min(1)
      .default(512)
      .describe("What each row's sum is divided by, for aggregation fixed-length."),
  };
}

/** What those fields say. */
export function aggregationOf({
  aggregation,
  fixedLength,
}: {
  readonly aggregation: "token" | "sequence" | "fixed-length";
  readonly fixedLength: number;
}): Aggregation {
  return aggregation === "fixed-length" ? { fixedLength } : aggregation;
}
