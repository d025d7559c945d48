import { z } from "zod";
import { byField, samplesField } from "./fields.js";
import { defineSampler } from "./sampler.js";
import { closeRow, openRows } from "./writing/open-row.js";
import { writeOn } from "./writing/write-on.js";

/** A model's own completions, several per problem. */
export const plainSampler = defineSampler({
  name: "plain",
  summary: "The student, or the teacher, writes several completions of each problem.",
  needs: [],
  needsFor: ({ by }) => [by],
  config: z.strictObject({ by: byField("student"), samplesPerProblem: samplesField(8) }),
  async sample(problems, { by, samplesPerProblem }, context) {
    const opened = openRows(context, problems, samplesPerProblem, () => ({ source: by }));
    const { rows, cost } = await writeOn(problems, opened, { by, purpose: "write" }, context);
    return { rows: rows.map(closeRow), cost };
  },
});
