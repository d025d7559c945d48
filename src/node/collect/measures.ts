import { beforeAnswer, givesAway, type Trace } from "../../data/index.js";

/** What is said of the traces of a collection. */
export function traceMeasures(traces: readonly Trace[]): Record<string, number> {
  const mean = (value: (trace: Trace) => number) =>
    traces.reduce((sum, trace) => sum + value(trace), 0) / Math.max(1, traces.length);
  return {
    rightShare: mean(({ correct }) => Number(correct)),
    finishedShare: mean(({ finished }) => Number(finished)),
    meanTokens: mean(({ tokens }) => tokens),
    lengthEntropy: lengthEntropy(traces),
    answerLeak: mean((trace) => Number(leaks(trace))),
  };
}

/** Whether the right answer stands in it by itself before it comes to its end. */
function leaks({ completion, problem: { answer } }: Trace): boolean {
  return givesAway(beforeAnswer(completion, answer), answer);
}

/** Entropy of the lengths in tokens, in nats: how diverse they are. */
function lengthEntropy(traces: readonly Trace[]): number {
  const counts = new Map<number, number>();
  for (const { tokens } of traces) counts.set(tokens, (counts.get(tokens) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / traces.length;
    return sum - share * Math.log(share);
  }, 0);
}
