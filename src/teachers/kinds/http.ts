import { z } from "zod";
import { teacherServers } from "../http/index.js";
import { defineTeacherKind } from "./define.js";
import { serverOptions } from "./server-options.js";

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
    sendAs: z
      .enum(["ids", "text"])
      .default("ids")
      .describe("For openai: how the tokens are sent. text: to servers that take no ids."),
    ...serverOptions,
  }),
});
