import { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { rewritten, solved } from "../rewrite.js";
import { firstError, judgedSteps } from "../steps.js";
import { fillTemplate } from "../../templates/index.js";
import { defineTraceStep, type Trace, type TraceContext } from "../trace.js";

const config = z.strictObject({
  give: z
    .array(z.enum(["rationale", "feedback"]))
    .min(1)
    .default(["rationale", "feedback"])
    .describe(
      "Rows that a wrong trace becomes: a right solution of the problem; or, to the problem with the wrong trace, what is wrong and how it goes on rightly.",
    ),
  keepRight: z.boolean().default(false).describe("Keeps the right traces beside them."),
  prompt: z
    .string()
    .default("{prompt}{wrong}¤")
    .describe("Prompt of feedback: {prompt} and {wrong}, the wrong trace."),
  feedback: z
    .string()
    .default("{error}§{right}")
    .describe("Feedback: {error}, the first wrong step, and {right}, the right rest from there."),
  solve: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Options of the task for solutions."),
});

/** Wrong traces become what a teacher says to them; those without a wrong step give no feedback. */
export const mistakeFeedbackTransform = defineTraceStep({
  name: "mistake-feedback",
  kind: "transform",
  summary: "Turns wrong traces into right solutions, and into feedback on their first mistake.",
  reference: "Learn-to-Reason (Democratizing Reasoning Ability); MAPD (mistake-aware peer review)",
  needsFor: ({ give }) => [
    ...(give.includes("rationale") ? (["solve"] as const) : []),
    ...(give.includes("feedback") ? (["checkSteps", "continueFrom"] as const) : []),
  ],
  config,
  apply: (traces, settings, context) =>
    traces.flatMap((trace, i) => {
      if (trace.correct) return settings.keepRight ? [trace] : [];
      return settings.give.flatMap((form) =>
        form === "rationale"
          ? [rationale(trace, i, settings, context)]
          : feedbackOn(trace, i, settings, context),
      );
    }),
});

type Settings = z.output<typeof config>;

function rationale(trace: Trace, i: number, { solve }: Settings, context: TraceContext): Trace {
  const random = context.random.stream("rationale", i);
  const text = solved(context.problems, trace.problem, { errorRate: 0, ...solve }, random);
  return { ...rewritten(trace, text, context), source: "oracle on a mistake" };
}

function feedbackOn(
  trace: Trace,
  i: number,
  { prompt, feedback, solve }: Settings,
  context: TraceContext,
): Trace[] {
  const { problem, completion } = trace;
  const error = firstError(judgedSteps(context.problems, problem, completion) ?? []);
  if (error === undefined) return [];
  const prefix = completion.slice(0, error.start);
  const { continueFrom, name } = context.problems;
  if (continueFrom === undefined) {
    throw new PupilError(`${name} cannot go on with a begun solution.`, { field: problem.id });
  }
  const right = continueFrom(problem, prefix, solve, context.random.stream("feedback", i));
  const said = { error: error.text, right: right.trimStart() };
  const text = fillTemplate(feedback, said, "mistake-feedback: feedback");
  const asked = { prompt: trace.prompt, wrong: completion };
  return [
    {
      ...{ problem, prompt: fillTemplate(prompt, asked, "mistake-feedback: prompt") },
      ...{ completion: text, finished: true, correct: true, answer: problem.answer },
      ...{ source: "feedback", tokens: context.countTokens(text) },
    },
  ];
}
