import { z } from "zod";
import { fillTemplate, placeholdersOf } from "../../data/index.js";
import { byField, samplesField } from "./fields.js";
import { defineSampler } from "./sampler.js";
import { closeRow, openRows } from "./writing/open-row.js";
import { writeOn } from "./writing/write-on.js";

const told = ["answer", "hidden"] as const;

/** A model's own completions, several per problem. */
export const plainSampler = defineSampler({
  name: "plain",
  summary: "The student, or the teacher, writes several completions of each problem.",
  needs: [],
  needsFor: ({ by }) => [by],
  config: z.strictObject({
    by: byField("student"),
    samplesPerProblem: samplesField(8),
    prefix: z
      .string()
      .default("")
      .refine((text) => placeholdersOf(text).every((name) => told.some((part) => part === name)), {
        message: "can have {answer} and {hidden}",
      })
      .describe(
        "Put before the prompt, which the row keeps: {answer} stands for the right answer and {hidden} for what the task hides, for a model that is to explain and not to solve.",
      ),
  }),
  async sample(problems, { by, samplesPerProblem, prefix }, context) {
    const opened = openRows(context, problems, samplesPerProblem, ({ prompt, answer, hidden }) => ({
      source: by,
      prompt: fillTemplate(prefix, { answer, hidden }, "sampler.prefix") + prompt,
    }));
    const { rows, cost } = await writeOn(problems, opened, { by, purpose: "write" }, context);
    return { rows: rows.map(closeRow), cost };
  },
});
