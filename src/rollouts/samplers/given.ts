import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import { defineSampler, type GivenTrace, noCost, type SamplerContext } from "./sampler.js";
import type { Problem } from "../../data/index.js";
import { appendText, closeRow, openRow } from "./writing/open-row.js";

/** The completions that were written before: those of earlier traces, else the data's own. */
export function givenTraces(
  problem: Problem,
  { given, problems }: Pick<SamplerContext, "given" | "problems">,
): readonly GivenTrace[] {
  if (given !== undefined) return given(problem);
  const { completion } = problem;
  if (completion === undefined) return [];
  const { correct } = problems.verify(problem, completion);
  return [{ completion, finished: true, correct, source: "data" }];
}

/** What the data says. */
export const givenSampler = defineSampler({
  name: "given",
  summary: "The completions that the data gives, or those of earlier traces.",
  needs: [],
  config: z.strictObject({}),
  sample(problems, _config, context) {
    const rows = problems.flatMap((problem, index) => {
      const traces = givenTraces(problem, context);
      if (traces.length === 0 && context.given === undefined) throw nothingGiven(problem);
      return traces.map(({ completion, finished, source }, sample) => {
        const row = openRow(context, problem, { problem: index, sample }, { source });
        const whole = appendText(context, row, completion, { finished });
        return closeRow(whole);
      });
    });
    return Promise.resolve({ rows, cost: noCost });
  },
});

function nothingGiven({ id }: Problem): PupilError {
  return new PupilError("has no completion that could be taken.", {
    field: id,
    remedy: "Give the rows completions, name traces of before (traces), or take another sampler.",
  });
}
