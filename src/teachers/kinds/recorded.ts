import { z } from "zod";
import { tokenSignals } from "../signals.js";
import { defineTeacherKind } from "./define.js";

/** A folder that `pupil record-teacher` wrote. */
export const recordedTeacherKind = defineTeacherKind({
  type: "recorded",
  summary: "Log-probabilities that pupil record-teacher stored, of the recorded rows only.",
  canGive: tokenSignals.filter((signal) => signal !== "teacherLogits"),
  writesText: false,
  schema: z.strictObject({
    type: z.literal("recorded"),
    from: z.string().describe("Folder of the recording."),
    topK: z
      .int()
      .min(1)
      .optional()
      .describe("Refuses a recording of another number of likeliest tokens."),
    samples: z.int().min(1).optional().describe("Refuses a recording of another number of draws."),
    teacherHash: z
      .string()
      .optional()
      .describe("Refuses a recording of another teacher; `teacher.hash` of its manifest.json."),
  }),
});
