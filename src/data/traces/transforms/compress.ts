import { z } from "zod";
import { rewritten, solved } from "../rewrite.js";
import { stepsOf } from "../steps.js";
import { fillTemplate } from "../../templates/index.js";
import { defineTraceStep, type Trace, type TraceContext } from "../trace.js";

const config = z.strictObject({
  budgets: z
    .array(z.int().min(1))
    .min(1)
    .describe("Tokens that a completion may have, end token left out: a row for each of them."),
  styles: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "Styles of the task that are tried, from wordy to terse; the first that fits is taken. Default: all of the task.",
    ),
  by: z
    .enum(["styles", "lines"])
    .default("styles")
    .describe(
      "What is made shorter: the solution, written in another style; or the trace, of which lines are dropped from the beginning. Wrong traces, and those of data that solves nothing, always lose lines.",
    ),
  over: z
    .enum(["drop", "keep"])
    .default("drop")
    .describe("What becomes of traces that fit in no way: left out, or kept at their shortest."),
  prefix: z
    .string()
    .default("")
    .describe("Put before the prompt; {budget} stands for the budget, as in §{budget}¤."),
});

/** One row per trace and budget. What was made by dropping lines says so in its source. */
export const compressTransform = defineTraceStep({
  name: "compress",
  kind: "transform",
  summary: "Makes traces fit into budgets of tokens: terser styles of the task, or fewer lines.",
  reference: "BARD: budget-aware reasoning distillation; Beyond Scaling Law (DED)",
  config,
  apply: (traces, settings, context) =>
    traces.flatMap((trace, i) =>
      settings.budgets.flatMap((budget) => {
        const versions = versionsOf(trace, i, settings, context);
        const fitting = versions.find(({ tokens }) => tokens <= budget);
        const chosen = fitting ?? (settings.over === "keep" ? versions.at(-1) : undefined);
        if (chosen === undefined) return [];
        if (settings.prefix === "") return [chosen];
        const text = fillTemplate(settings.prefix, { budget: String(budget) }, "compress: prefix");
        return [{ ...chosen, prompt: text + chosen.prompt }];
      }),
    ),
});

/** The trace itself, then shorter and shorter ones with the same verdict. */
function versionsOf(
  trace: Trace,
  index: number,
  { styles, by }: z.output<typeof config>,
  context: TraceContext,
): Trace[] {
  const { problems, random } = context;
  const names = styles ?? problems.styles ?? [];
  const canSolve = by === "styles" && problems.solve !== undefined && trace.correct;
  if (canSolve && names.length > 0) {
    const stream = random.stream("compress", index);
    const written = names.map((style) => {
      const text = solved(problems, trace.problem, { style, errorRate: 0 }, stream);
      return { ...rewritten(trace, text, context), source: `${trace.source}, ${style}` };
    });
    const shorter = written.filter(({ tokens }) => tokens < trace.tokens);
    return [trace, ...shorter];
  }
  const steps = stepsOf(problems, trace.problem, trace.completion);
  const cut = steps.slice(1).map(({ start }) => {
    const rest = rewritten(trace, trace.completion.slice(start), context);
    return { ...rest, finished: trace.finished, source: `${trace.source}, lines dropped` };
  });
  return [trace, ...cut.filter(({ correct }) => correct === trace.correct)];
}
