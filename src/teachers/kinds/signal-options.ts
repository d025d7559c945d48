import { z } from "zod";

/** For teachers that may read another prompt than the student. */
export const promptOption = {
  prompt: z
    .string()
    .optional()
    .describe(
      "What the teacher reads in place of the prompt, with {prompt}, {completion} (the right one) and {shown} (what the writer of the row was shown, of rows that have shownPrompt).",
    ),
};

/** Options of teachers that have whole distributions and can give parts of them. */
export const distributionOptions = {
  topK: z
    .int()
    .min(1)
    .optional()
    .describe("Gives the K likeliest tokens of every position, for sparse-kl."),
  samples: z
    .int()
    .min(1)
    .optional()
    .describe("Gives K tokens of every position drawn at random, for sampled-kl."),
  sampleTemperature: z
    .number()
    .positive()
    .optional()
    .describe("Temperature of those draws; the loss corrects for it. Default: 1."),
};
