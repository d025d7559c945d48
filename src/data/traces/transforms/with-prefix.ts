import { z } from "zod";
import { fillTemplate } from "../template.js";
import { defineTraceStep } from "../trace.js";

export const withPrefixTransform = defineTraceStep({
  name: "with-prefix",
  kind: "transform",
  summary: "Puts a text before every prompt, such as a view's mark.",
  config: z.strictObject({
    prefix: z
      .string()
      .min(1)
      .describe("{tokens} stands for the tokens of the completion, {source} for who wrote it."),
  }),
  apply: (traces, { prefix }) =>
    traces.map((trace) => {
      const { tokens, source } = trace;
      const text = fillTemplate(prefix, { tokens: String(tokens), source }, "with-prefix: prefix");
      return { ...trace, prompt: text + trace.prompt };
    }),
});
