import { z } from "zod";

/** How a server is asked, whatever its API is. */
export const serverOptions = {
  apiKeyVariable: z
    .string()
    .optional()
    .describe(
      "Name of the environment variable with the API key (OPENAI_API_KEY). Default: no key is sent.",
    ),
  timeoutSeconds: z.number().positive().default(60).describe("Longest wait for one answer."),
  retries: z
    .int()
    .min(0)
    .default(5)
    .describe("Further attempts where a failure may pass: no connection, 429, 5xx and the like."),
  retryDelaySeconds: z
    .number()
    .min(0)
    .default(0.5)
    .describe("Before the second attempt; it doubles each time. Retry-After may make it longer."),
  concurrency: z.int().min(1).default(8).describe("Requests at the same time."),
  maxPositions: z
    .int()
    .min(2)
    .optional()
    .describe("Longest row that the server takes, in tokens, to find out before the run."),
};
