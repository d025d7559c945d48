import { z } from "zod";
import { loggedNumber } from "./log-row.js";

const alternatives = z
  .array(z.object({ text: z.string(), probability: z.number() }))
  .describe("Likeliest tokens in descending order, with their probabilities at temperature 1.");

/** One token of a text, as both models see it; in nats at temperature 1. */
export const tracedTokenSchema = z.object({
  text: z.string(),
  id: z.int().min(0),
  student: alternatives,
  studentEntropy: loggedNumber,
  teacher: alternatives.optional(),
  teacherEntropy: loggedNumber.optional(),
  forwardKl: loggedNumber.optional().describe("KL(teacher ‖ student)."),
  reverseKl: loggedNumber.optional().describe("KL(student ‖ teacher)."),
  advantage: loggedNumber.optional().describe("log T(y) − log S(y) of the token itself."),
});

/** What the models see in a completion. */
export const traceRowSchema = z.object({
  version: z.literal(1),
  step: z.int().min(0),
  set: z.string().describe("Evaluation set of the prompt."),
  prompt: z.string(),
  tokens: z.array(tracedTokenSchema),
});

export type TracedToken = z.output<typeof tracedTokenSchema>;
/** A row of `traces.jsonl`. */
export type TraceRow = z.output<typeof traceRowSchema>;
