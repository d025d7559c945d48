import { z } from "zod";
import { byField, samplesField } from "./fields.js";
import { defineSampler } from "./sampler.js";
import { closeRow, openRows } from "./writing/open-row.js";
import { writeOn } from "./writing/write-on.js";

/** A model that acts and is answered by the world; what the world says is part of the row and not learned. */
export const toolLoopSampler = defineSampler({
  name: "tool-loop",
  summary: "A model acts, the world answers, the model goes on; observations are not learned.",
  needs: ["respond"],
  needsFor: ({ by }) => [by],
  config: z.strictObject({ by: byField("student"), samplesPerProblem: samplesField(1) }),
  async sample(problems, { by, samplesPerProblem }, context) {
    const opened = openRows(context, problems, samplesPerProblem, () => ({ source: by }));
    const options = { by, purpose: "write", tools: true } as const;
    const { rows, cost } = await writeOn(problems, opened, options, context);
    const said = rows.map(({ tokens }) => tokens.filter(({ learned }) => learned === 0).length);
    const observedTokens = said.reduce((sum, count) => sum + count, 0) / Math.max(1, rows.length);
    return { rows: rows.map(closeRow), cost, measures: { observedTokens } };
  },
});
