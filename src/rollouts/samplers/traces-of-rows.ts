import { decodeCompletion, observedParts, type Problem, type Trace } from "../../data/index.js";
import type { SampledRow, SamplerContext } from "./sampler.js";

/** Rows as traces: their text, judged. */
export function tracesOfRows(
  rows: readonly SampledRow[],
  problems: readonly Problem[],
  { tokenizer, problems: source }: Pick<SamplerContext, "tokenizer" | "problems">,
): Trace[] {
  const { endIds } = tokenizer;
  return rows.map((row) => {
    const problem = problems[row.problem] as Problem;
    const { promptIds, completionIds, finished, writerLogProbs, shownPrompt } = row;
    const last = completionIds.at(-1);
    const hasEnd = last !== undefined && endIds.includes(last);
    const tokens = completionIds.length - (hasEnd ? 1 : 0);
    const completion = decodeCompletion(tokenizer, promptIds, completionIds);
    const { correct, answer } = source.verify(problem, completion);
    const unlearned =
      row.learned === undefined
        ? observedParts(source, problem, completion)
        : unlearnedParts(tokenizer, row);
    return {
      ...{ problem, prompt: row.prompt ?? problem.prompt, completion, finished, correct, answer },
      ...{ source: row.source, tokens },
      ...(unlearned.length === 0 ? {} : { unlearned }),
      ...(shownPrompt === undefined ? {} : { shownPrompt }),
      ...(writerLogProbs === undefined ? {} : { tokenLogProbs: writerLogProbs.slice(0, tokens) }),
    };
  });
}

/** The runs of tokens that are not learned, as characters of the completion. */
function unlearnedParts(
  tokenizer: Pick<SamplerContext, "tokenizer">["tokenizer"],
  { promptIds, completionIds, learned = [] }: SampledRow,
): [number, number][] {
  const parts: [number, number][] = [];
  for (const [i, isLearned] of learned.entries()) {
    if (isLearned === 1) continue;
    const reach = (count: number) =>
      decodeCompletion(tokenizer, promptIds, completionIds.slice(0, count)).length;
    const [from, to] = [reach(i), reach(i + 1)];
    const last = parts.at(-1);
    if (last !== undefined && last[1] === from) last[1] = to;
    else if (to > from) parts.push([from, to]);
  }
  return parts;
}
