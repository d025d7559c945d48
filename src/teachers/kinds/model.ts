import { z } from "zod";
import { teacherSignals } from "../signals.js";
import { defineTeacherKind } from "./define.js";
import { distributionOptions, promptOption } from "./signal-options.js";

/** A model folder, run in this process on the same device as the student. */
export const modelTeacherKind = defineTeacherKind({
  type: "model",
  summary: "A model folder, run in this process; its logits never leave the device.",
  canGive: teacherSignals,
  writesText: true,
  schema: z.strictObject({
    type: z.literal("model").optional().describe("May be left out."),
    from: z.string().describe("Model folder or run folder of the teacher."),
    ...promptOption,
    ...distributionOptions,
  }),
});
