import { z } from "zod";
import { hierarchicalTemplateFields, writeStep, writeSummary } from "../../templates/index.js";
import { answerAlone, rewritten } from "../rewrite.js";
import { stepsOf } from "../steps.js";
import { defineTraceStep } from "../trace.js";

/**
 * Every step with a note of its key insight, then a summary made of the keys, then the answer. The
 * key is what `key` finds in the step. A trace whose verdict would change is left as it is.
 */
export const hierarchicalTemplateTransform = defineTraceStep({
  name: "hierarchical-template",
  kind: "transform",
  summary: "Writes traces in two layers: steps with their keys, and a summary of the keys.",
  reference: "SuperCorrect, hierarchical thought template",
  config: z.strictObject(hierarchicalTemplateFields),
  apply: (traces, template, context) =>
    traces.map((trace) => {
      const { problem, completion } = trace;
      const steps = stepsOf(context.problems, problem, completion).map(({ text }) => text);
      if (steps.length === 0) return trace;
      const last = trace.correct ? answerAlone(problem, context) : (trace.answer ?? "");
      const written = steps.map((step) => writeStep(step, template));
      const lines = [...written, writeSummary(steps, template), last];
      const text = rewritten(trace, lines.join("\n"), context);
      return text.correct === trace.correct ? text : trace;
    }),
});
