import { z } from "zod";
import { startBackend } from "../../../backend/index.js";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import { nodePlatform, takeTrust, traceText } from "../../../node/index.js";
import { teacherSchema } from "../../../teachers/index.js";
import { coloursFor } from "../../terminal/colours.js";
import { tracedLines } from "../../terminal/format-trace.js";
import { writeLine } from "../../terminal/terminal.js";
import { backendField } from "../backend-field.js";

export const tokensSchema = z.strictObject({
  teacher: z
    .union([z.string().transform((from) => ({ from })), teacherSchema])
    .optional()
    .describe(
      "Model or run folder to compare with, or a teacher as in a config. Default: the run's.",
    ),
  by: z
    .enum(["forwardKl", "reverseKl"])
    .default("forwardKl")
    .describe("What tokens are coloured by: KL(teacher ‖ student), or KL(student ‖ teacher)."),
  alternatives: z
    .int()
    .min(0)
    .default(0)
    .describe("Likeliest tokens of both models that are listed below the text."),
  backend: backendField("auto"),
});

/** `pupil tokens <run | model> <text> [teacher=<folder>] [by=reverseKl] [alternatives=3]`. */
export async function tokensCommand(path: string, text: string, words: string[]): Promise<void> {
  const { trusted, rest } = takeTrust(words);
  const options = parseConfig(tokensSchema, applyOverrides({}, rest), "tokens");
  const { backend, teacher, by, alternatives } = options;
  writeLine(process.stderr, (await startBackend(backend, { platform: nodePlatform })).line);
  const shown = { alternatives: Math.max(1, alternatives), trusted };
  const traced = await traceText(path, text, { teacher, ...shown });
  for (const note of traced.notes) writeLine(process.stderr, note);
  const lines = tracedLines(traced, { by, alternatives }, coloursFor(process.stdout));
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}
