import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { byProblem } from "../choose.js";
import { rewritten, solved } from "../rewrite.js";
import { defineTraceStep, type TraceContext } from "../trace.js";

const grade = z.strictObject({
  below: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("Problems whose traces fail in a smaller share, or in just this share if it is 1."),
  solve: z
    .record(z.string(), z.unknown())
    .describe('Options of the task for the solution, such as {"style": "terse"}.'),
});

/**
 * Takes all traces of a problem (of the student, several each) for what tells how hard it is, and
 * writes one solution in their place.
 */
export const difficultyRewriteTransform = defineTraceStep({
  name: "difficulty-rewrite",
  kind: "transform",
  summary: "Writes one solution of each problem, the longer the more often its traces are wrong.",
  reference: "Concise Reasoning, Big Gains (DAP / LiteCoT)",
  needsFor: () => ["solve"],
  config: z.strictObject({
    grades: z
      .array(grade)
      .min(1)
      .optional()
      .describe(
        "From easy to hard; the first that a problem falls into says how it is solved. Default: below 1/3 the tersest style but the last, below 2/3 the one in the middle, else the first. [REC] The paper's lengths were not verified.",
      ),
  }),
  apply(traces, { grades }, context) {
    const list = grades ?? usualGrades(context);
    return byProblem(traces).flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const failed = group.filter(({ correct }) => !correct).length / group.length;
      const found = list.find(({ below }) => failed < below || below === 1);
      if (found === undefined) return [];
      const random = context.random.stream("rewrite", first.problem.id);
      const options = { errorRate: 0, ...found.solve };
      const text = solved(context.problems, first.problem, options, random);
      return [
        { ...rewritten(first, text, context), source: `oracle ${String(found.solve["style"])}` },
      ];
    });
  },
});

function usualGrades({ problems }: TraceContext): z.output<typeof grade>[] {
  const { styles = [], name } = problems;
  const [first] = styles;
  if (first === undefined || styles.length < 2) {
    throw new PupilError(`${name} has no styles to choose from.`, {
      field: "difficulty-rewrite: grades",
      remedy: 'Say how problems are solved: [{"below": 0.5, "solve": {…}}, {"solve": {…}}].',
    });
  }
  const easy = styles[Math.max(1, styles.length - 2)] as string;
  const middle = styles[Math.floor((styles.length - 1) / 2)] as string;
  return [
    { below: 1 / 3, solve: { style: easy } },
    { below: 2 / 3, solve: { style: middle } },
    { below: 1, solve: { style: first } },
  ];
}
