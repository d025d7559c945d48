import { z } from "zod";
import {
  firstError,
  firstStepLength,
  judgedSteps,
  type Problem,
  stepsOf,
} from "../../data/index.js";
import { byField, samplesField } from "./fields.js";
import { givenTraces } from "./given.js";
import { defineSampler, type GivenTrace, type SampledRow, type SamplerContext } from "./sampler.js";
import { appendText, closeRow, openRow } from "./writing/open-row.js";
import { writeOn } from "./writing/write-on.js";

const config = z.strictObject({
  by: byField("student"),
  start: z
    .enum(["before-error", "after-error", "share"])
    .default("before-error")
    .describe(
      "Where in a trace it is gone on: just before its first wrong step, just behind it, or behind a share of its steps.",
    ),
  share: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("Of the steps, rounded down; for start share."),
  of: z
    .enum(["any", "right", "wrong"])
    .default("any")
    .describe("Traces that are begun with: for start share, those with a right or a wrong answer."),
  mark: z
    .string()
    .optional()
    .describe(
      "For start after-error: put behind the wrong step in place of what separates it from the next, such as \\nwait\\n.",
    ),
  samplesPerProblem: samplesField(4),
});

/**
 * Completions that begin as a trace does that was written before: one of `traces`, or the data's own.
 * What they begin with is part of the row, not the student's own, and not learned. Problems
 * without such a trace are left out, and `withoutPrefix` says how many. Before an error the row also
 * says the step that went wrong and, where the task can tell, what it should have been (`keyStep`).
 */
export const fromPrefixSampler = defineSampler({
  name: "from-prefix",
  summary: "A model goes on from the beginning of a given trace, right or wrong.",
  reference: "SCoRe (From Correction to Mastery), stage 2",
  needs: [],
  needsFor: ({ by, start }) => (start === "share" ? [by] : [by, "checkSteps"]),
  config,
  async sample(problems, { by, start, share, of, mark, samplesPerProblem }, context) {
    const begun = problems.map((problem, index) => {
      const fitting = givenTraces(problem, context).flatMap((trace) => {
        if (of !== "any" && trace.correct !== (of === "right")) return [];
        const prefix = prefixOf(problem, trace, { start, share, mark }, context);
        return prefix === undefined ? [] : [prefix];
      });
      return fitting.length === 0
        ? undefined
        : context.random.stream("prefix", index).pick(fitting);
    });
    const opened = problems.flatMap((problem, index) => {
      const found = begun[index];
      if (found === undefined) return [];
      return Array.from({ length: samplesPerProblem }, (_, sample) => {
        const place = { problem: index, sample };
        const more = { source: `${by} from prefix`, keyStep: found.keyStep };
        return appendText(context, openRow(context, problem, place, more), found.text, {
          learned: 0,
        });
      });
    });
    const tools = context.problems.respond !== undefined;
    const options = { by, purpose: "from prefix", tools };
    const { rows, cost } = await writeOn(problems, opened, options, context);
    const withoutPrefix = begun.filter((found) => found === undefined).length;
    return { rows: rows.map(closeRow), cost, measures: { withoutPrefix } };
  },
});

interface Prefix {
  readonly text: string;
  readonly keyStep?: SampledRow["keyStep"];
}

function prefixOf(
  problem: Problem,
  { completion }: GivenTrace,
  { start, share, mark }: Pick<z.output<typeof config>, "start" | "share" | "mark">,
  { problems, random }: SamplerContext,
): Prefix | undefined {
  if (start === "share") {
    const steps = stepsOf(problems, problem, completion);
    const last = steps[Math.floor(share * steps.length) - 1];
    return { text: completion.slice(0, last?.next ?? 0) };
  }
  const error = firstError(judgedSteps(problems, problem, completion) ?? []);
  if (error === undefined) return undefined;
  if (start === "after-error") {
    const { end, next } = error;
    return {
      text: mark === undefined ? completion.slice(0, next) : completion.slice(0, end) + mark,
    };
  }
  const text = completion.slice(0, error.start);
  const rest = problems.continueFrom?.(problem, text, {}, random.stream("key step"));
  if (rest === undefined) return { text };
  const correction = rest.slice(0, firstStepLength(problems, problem, text, rest)).trim();
  return { text, keyStep: { error: error.text, correction } };
}
