import { z } from "zod";
import { alignedSignals } from "./align-row.js";

/** How a run uses a teacher with another tokenizer than its student's. */
export const alignmentSchema = z
  .strictObject({
    signal: z
      .enum(alignedSignals)
      .optional()
      .describe("What is aligned. Default: what the loss needs, logits first."),
    placement: z
      .enum(["spread", "last"])
      .default("spread")
      .describe(
        "Where a chunk's log-probability goes: in equal parts on its tokens, or on the last one.",
      ),
  })
  .describe("For a teacher with another tokenizer: aligns both by the bytes of the text.");
export type Alignment = z.output<typeof alignmentSchema>;
