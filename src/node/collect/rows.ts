import type { Trace, TracePair } from "../../data/index.js";
import { toJson } from "../files/json.js";

/** A trace as a row of `rows.jsonl`, which datasets of rows read. */
export function traceRow(trace: Trace): object {
  const { problem, prompt, completion, finished, correct, source, shownPrompt, unlearned } = trace;
  return {
    ...{ prompt, completion, answer: problem.answer, finished, correct, source, id: problem.id },
    ...(shownPrompt === undefined ? {} : { shownPrompt }),
    ...(unlearned === undefined ? {} : { unlearned }),
  };
}

/** A pair as a row, which the dataset of pairs reads; one of rows can ask and judge its prompt. */
export function pairRow({ problem, ...pair }: TracePair): object {
  return { ...pair, answer: problem.answer, id: problem.id };
}

export function linesOf(rows: readonly object[]): string {
  return rows.map((row) => `${toJson(row)}\n`).join("");
}
