import { z } from "zod";
import { encodePrompt } from "../../data/index.js";
import { defineReward, type LikelihoodQuestion } from "./define.js";

/**
 * Dense rewards of a model that learns to explain: the run's student writes an explanation, and the
 * frozen teacher of the run is the pupil whose understanding counts.
 *
 *     r_SS = c1 · mean_t log π_S(sol_t | q, think) + c2 · min_t log π_S(sol_t | q, think)
 *     r_KL = d1 · mean_t ℓ_t + d2 · max_t ℓ_t,   ℓ_t = log π_T(think_t | q, sol) − log π_S(think_t | q)
 *     r    = r_SS − r_KL
 *
 * π_T is the model that is trained, on the prompt that it was given; π_S the frozen one, on the
 * question alone. The defaults are those of the released run configuration, whose punishment of
 * missing tags is the `format` reward with missing −1.
 */
export const likelihoodReward = defineReward({
  name: "likelihood",
  summary:
    "How likely an explanation makes the solution to a frozen model, less how unnatural it is to that model.",
  reference:
    "RLT, Reinforcement Learning Teachers of Test Time Scaling, https://arxiv.org/abs/2506.08388 (section 3); code SakanaAI/RLT",
  needs: ["teacher"],
  config: z.strictObject({
    solutionMean: z.number().default(1).describe("c1: weight of the mean over solution tokens."),
    solutionMin: z
      .number()
      .default(0.01)
      .describe("c2: weight of the least likely solution token."),
    klMean: z.number().default(3).describe("d1: weight of the mean over explanation tokens."),
    klMax: z.number().default(0.03).describe("d2: weight of the most unnatural explanation token."),
    temperature: z
      .number()
      .positive()
      .default(0.7)
      .describe(
        "Of both models' log-probabilities; sample at the same (sampling.samplingTemperature).",
      ),
    question: z
      .string()
      .default("{prompt}")
      .describe("What the frozen model is given: {prompt}, {answer} and {hidden} are filled in."),
    solution: z
      .string()
      .default("{answer}")
      .describe("What it should then find likely behind the explanation; filled in the same way."),
    separator: z.string().default("").describe("Text between the explanation and the solution."),
  }),
  ask({ problem, completion, sampled }, config, { tokenizer }): LikelihoodQuestion[] {
    const { temperature, separator } = config;
    const fill = (template: string) => fillIn(template, problem);
    const question = encodePrompt(tokenizer, fill(config.question));
    const explained = encodePrompt(tokenizer, fill(config.question) + completion + separator);
    const solution = tokenizer.encode(fill(config.solution));
    const think = sampled.completionIds.filter((id) => !tokenizer.endIds.includes(id));
    const asked = (
      model: LikelihoodQuestion["model"],
      promptIds: readonly number[],
      completionIds: readonly number[],
    ) => ({ model, promptIds, completionIds, temperature });
    return [
      asked("teacher", explained, solution),
      asked("student", sampled.promptIds, think),
      asked("teacher", question, think),
    ];
  },
  evaluate({ answers }, { solutionMean, solutionMin, klMean, klMax }) {
    const [solution = [], own = [], frozen = []] = answers;
    const gaps = own.map((logProb, t) => logProb - (frozen[t] as number));
    const understood = solutionMean * mean(solution) + solutionMin * least(solution);
    return understood - (klMean * mean(gaps) - klMax * least(gaps.map((gap) => -gap)));
  },
});

function fillIn(
  template: string,
  parts: { readonly prompt: string; readonly answer: string; readonly hidden?: string },
): string {
  return template.replace(
    /\{(prompt|answer|hidden)\}/g,
    (_, name: "prompt" | "answer" | "hidden") => parts[name] ?? "",
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** 0 where there is none. */
function least(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((a, b) => Math.min(a, b));
}
