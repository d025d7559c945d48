import { z } from "zod";
import { teacherServers } from "../http/index.js";
import { defineTeacherKind } from "./define.js";

/** A model behind the HTTP API of an inference server. */
export const httpTeacherKind = defineTeacherKind({
  type: "http",
  summary:
    "A model on an inference server: the likeliest tokens at every learned position of given tokens.",
  canGive: ["teacherTokenLogProbs", "teacherTokenIds", "teacherTopLogProbs"],
  writesText: true,
  schema: z.strictObject({
    type: z.literal("http"),
    server: z
      .enum(teacherServers)
      .describe("Whose API it is; openai: completions with echo and logprobs, cannot write."),
    url: z.string().describe("Address of the server, such as http://localhost:8000."),
    model: z
      .string()
      .optional()
      .describe("The model as the server names it. Needed for vllm and openai."),
    tokenizer: z
      .string()
      .describe("Folder or tokenizer.json of the server's model; the student uses it too."),
    topK: z
      .int()
      .min(1)
      .default(20)
      .describe("How many of the likeliest tokens of every position; servers have limits."),
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
    sendAs: z
      .enum(["ids", "text"])
      .default("ids")
      .describe("For openai: how the tokens are sent. text: to servers that take no ids."),
    maxPositions: z
      .int()
      .min(2)
      .optional()
      .describe("Longest row that the server takes, in tokens, to find out before the run."),
  }),
});
