import { z } from "zod";
import { byProblem, majorityWrong } from "../choose.js";
import { fillTemplate, placeholdersOf } from "../../templates/index.js";
import { defineTraceStep } from "../trace.js";

/** With {good} or {bad}, traces of problems that have no such trace are left out. */
export const withPrefixTransform = defineTraceStep({
  name: "with-prefix",
  kind: "transform",
  summary: "Puts a text before every prompt, such as a view's mark or a hint.",
  config: z.strictObject({
    prefix: z
      .string()
      .min(1)
      .describe(
        "{tokens} stands for the tokens of the completion, {source} for who wrote it, {answer} for the right answer, {hidden} for what the task hides from students, {good} and {bad} for the problem's first right trace and one with its commonest wrong answer.",
      ),
  }),
  apply(traces, { prefix }, { random }) {
    const named = placeholdersOf(prefix);
    const groups = byProblem(traces).map((group, i) => {
      const good = group.find(({ correct }) => correct)?.completion;
      const bad = majorityWrong(group, random.stream("bad", i))?.completion;
      return [group[0]?.problem.id, { good, bad }] as const;
    });
    const ofProblem = new Map(groups);
    return traces.flatMap((trace) => {
      const { tokens, source, problem } = trace;
      const { answer, hidden, id } = problem;
      const { good, bad } = ofProblem.get(id) ?? {};
      if (named.includes("good") && good === undefined) return [];
      if (named.includes("bad") && bad === undefined) return [];
      const values = { tokens: String(tokens), source, answer, hidden, good, bad };
      const text = fillTemplate(prefix, values, "with-prefix: prefix");
      return [{ ...trace, prompt: text + trace.prompt }];
    });
  },
});
