import { z } from "zod";
import { encodePrompt } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { sampleRollouts } from "../sample-rollouts.js";
import { defineSampler, noCost } from "./sampler.js";

/** The student's own completions, several per problem. */
export const plainSampler = defineSampler({
  name: "plain",
  summary: "The student writes several completions of each problem.",
  needs: ["student"],
  config: z.strictObject({
    samplesPerProblem: z.int().min(1).default(8).describe("Completions of each problem."),
  }),
  async sample(problems, { samplesPerProblem }, context) {
    const { student, tokenizer, policy, maxNewTokens, maxPositions, random } = context;
    if (student === undefined) {
      throw new PupilError("needs a student that writes.", { field: "sampler plain" });
    }
    const problemOf = (row: number) => Math.floor(row / samplesPerProblem);
    const prompts = problems.flatMap(({ prompt }) => {
      const ids = encodePrompt(tokenizer, prompt);
      return Array.from({ length: samplesPerProblem }, () => ids);
    });
    const { endIds, padId } = tokenizer;
    const rollouts = await sampleRollouts({
      ...{ model: student, prompts, endIds, padId, maxNewTokens, maxPositions },
      ...{ policy, random },
    });
    const rows = rollouts.map((rollout, row) => ({
      problem: problemOf(row),
      ...rollout,
      own: rollout.completionIds.map(() => 1),
      source: "student",
    }));
    const studentTokens = rows.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
    return { rows, cost: { ...noCost, studentTokens, studentForwards: studentTokens } };
  },
});
