import { z } from "zod";
import { defineTeacherKind } from "./define.js";
import { modelTeacherKind } from "./model.js";
import { distributionOptions, promptOption } from "./signal-options.js";

/** The student as its own teacher: told more, or averaged over its past. */
export const selfTeacherKind = defineTeacherKind({
  type: "self",
  summary: "The student itself, with a prompt that tells it more, or as an average over its past.",
  canGive: modelTeacherKind.canGive,
  writesText: true,
  schema: z.strictObject({
    type: z.literal("self"),
    emaDecay: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Uses the moving average of the weights with this decay. Default: as they are."),
    ...promptOption,
    ...distributionOptions,
  }),
});
