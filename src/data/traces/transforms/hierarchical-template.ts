import { z } from "zod";
import { answerAlone, rewritten } from "../rewrite.js";
import { stepsOf } from "../steps.js";
import { fillTemplate } from "../template.js";
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
  config: z.strictObject({
    step: z.string().default("{step} §{key}").describe("How a step is written: {step} and {key}."),
    summary: z
      .string()
      .default("¤{keys}")
      .describe("The line of the summary: {keys}, the keys of all steps with spaces between them."),
    key: z
      .string()
      .default("[-+*/]")
      .describe(
        "Regular expression of a step's key; a step without one has its first word. [REC] The paper's notes are a teacher's.",
      ),
  }),
  apply(traces, { step, summary, key }, context) {
    const pattern = new RegExp(key);
    return traces.map((trace) => {
      const steps = stepsOf(context.problems, trace.problem, trace.completion).map(({ text }) => {
        const note = pattern.exec(text)?.[0] ?? text.split(/\s/, 1)[0] ?? "";
        const written = fillTemplate(
          step,
          { step: text, key: note },
          "hierarchical-template: step",
        );
        return { note, written };
      });
      if (steps.length === 0) return trace;
      const keys = steps.map(({ note }) => note).join(" ");
      const last = trace.correct ? answerAlone(trace.problem, context) : (trace.answer ?? "");
      const lines = [
        ...steps.map(({ written }) => written),
        fillTemplate(summary, { keys }, "hierarchical-template: summary"),
        last,
      ];
      const text = rewritten(trace, lines.join("\n"), context);
      return text.correct === trace.correct ? text : trace;
    });
  },
});
