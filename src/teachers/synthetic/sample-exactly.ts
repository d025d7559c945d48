import type { Rollout, SamplingPolicy } from "../../rollouts/index.js";
import type { CompleteOptions } from "../teacher.js";
import { type ExactLanguage, normalizeLogProbs, stateAfter } from "./exact-language.js";

/**
 * Completions drawn from the language itself, in float64, by inverting its cumulative distribution
 * at one uniform per token. The uniforms are those of `sampleRollouts`: a function of the row's
 * sequence id and position.
 */
export function sampleExactly<S>(
  language: ExactLanguage<S>,
  prompts: readonly (readonly number[])[],
  { endIds, maxNewTokens, policy, random, sequenceIds }: CompleteOptions,
): Rollout[] {
  return prompts.map((promptIds, row) => {
    let state = stateAfter(language, promptIds);
    const completionIds: number[] = [];
    const tokenLogProbs: number[] = [];
    let finished = false;
    while (completionIds.length < maxNewTokens && !finished) {
      const logProbs = language.logProbs(state);
      const stream = random.stream(sequenceIds?.[row] ?? row, completionIds.length);
      const id = chooseToken(logProbs, policy, stream.uniform());
      completionIds.push(id);
      tokenLogProbs.push(logProbs[id] as number);
      finished = endIds.includes(id);
      state = language.advance(state, id);
    }
    return { promptIds, completionIds, tokenLogProbs, finished };
  });
}

/**
 * The token that `sampleTokens` would choose, in float64 on the host: temperature, then top-k, then
 * top-p, then the first token at which the cumulative probability exceeds the uniform.
 */
export function chooseToken(
  logProbs: Float64Array,
  { greedy, samplingTemperature, topK, topP }: SamplingPolicy,
  uniform: number,
): number {
  if (greedy) return logProbs.indexOf(Math.max(...logProbs));
  const scaled = logProbs.map((logProb) => logProb / samplingTemperature);
  const sorted = scaled.slice().sort().reverse();
  const candidates = topK > 0 ? sorted.slice(0, topK) : sorted;
  const nucleus = normalizeLogProbs(candidates.slice()).map(Math.exp);
  let before = 0;
  let kept = 0;
  // A token belongs to the nucleus if those before it hold less than topP; so the first always does.
  while (kept < nucleus.length && (topP === 1 || before < topP)) {
    before += nucleus[kept] as number;
    kept += 1;
  }
  const lowest = candidates[kept - 1] as number;
  const weights = scaled.map((value) => (value >= lowest ? Math.exp(value) : 0));
  const threshold = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let cumulative = 0;
  for (const [id, weight] of weights.entries()) {
    cumulative += weight;
    if (cumulative > threshold && weight > 0) return id;
  }
  return logProbs.indexOf(Math.max(...logProbs));
}
