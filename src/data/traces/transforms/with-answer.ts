import { z } from "zod";
import { rewritten } from "../rewrite.js";
import { fillTemplate } from "../../templates/index.js";
import { defineTraceStep } from "../trace.js";

export const withAnswerTransform = defineTraceStep({
  name: "with-answer",
  kind: "transform",
  summary: "Puts the right answer behind every completion: explanations become whole traces.",
  reference: "Reinforcement Learning Teachers of Test Time Scaling",
  config: z.strictObject({
    ending: z
      .string()
      .includes("{answer}")
      .default("{answer}")
      .describe("What is put there, such as :{answer}; {answer} stands for the right answer."),
  }),
  apply: (traces, { ending }, context) =>
    traces.map((trace) => {
      const { answer } = trace.problem;
      const text = fillTemplate(ending, { answer }, "with-answer: ending");
      return rewritten(trace, trace.completion + text, context);
    }),
});
