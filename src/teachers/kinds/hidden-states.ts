import { z } from "zod";
import { tokenSignals } from "../signals.js";
import { defineTeacherKind } from "./define.js";
import { serverOptions } from "./server-options.js";
import { distributionOptions } from "./signal-options.js";

/** Hidden states from a recording or a server, whose head is applied here. */
export const hiddenStatesTeacherKind = defineTeacherKind({
  type: "hidden-states",
  summary:
    "What a teacher's head reads, recorded or from a server, and its head: the whole vocabulary from a few numbers per token.",
  canGive: tokenSignals,
  writesText: false,
  schema: z.strictObject({
    type: z.literal("hidden-states"),
    from: z
      .string()
      .optional()
      .describe("Folder that pupil record-teacher store=hidden-states wrote. This or `url`."),
    url: z
      .string()
      .optional()
      .describe("Address of a server of hidden states, such as http://localhost:8000."),
    head: z
      .string()
      .optional()
      .describe(
        "Model folder with the head. Needed for a server, whose tokenizer it has too; of a recording by default what the recording says.",
      ),
    model: z
      .string()
      .optional()
      .describe("The model as the server names it, where it has several."),
    dtype: z
      .enum(["float32", "float16"])
      .default("float32")
      .describe("How the server sends the numbers; float16 halves them, rounded to 11 bits."),
    teacherHash: z
      .string()
      .optional()
      .describe("Refuses a recording of another teacher; `teacher.hash` of its manifest.json."),
    ...serverOptions,
    ...distributionOptions,
  }),
});
