import { PupilError, showValue } from "../../errors/index.js";
import type { Judgement, Verify } from "../verifiers/index.js";
import type { Problem } from "./problem.js";

/** Rows that are looked at. */
const sampleSize = 256;

/**
 * Holds a verifier to data before anything is trained on its word: it must accept the answer of a
 * row, and the completion that the row gives, and refuse a completion without a word. Looks at 256
 * rows, spread over all.
 *
 * @throws PupilError naming row, answer and what was read
 */
export function checkVerifier(problems: readonly Problem[], verify: Verify, name: string): void {
  const count = Math.min(sampleSize, problems.length);
  const sample = Array.from(
    { length: count },
    (_, i) => problems[Math.floor((i * problems.length) / count)] as Problem,
  );
  for (const what of ["completion", "answer"] as const) {
    const refused = sample.flatMap((problem) => {
      const { [what]: text, prompt, answer } = problem;
      if (text === undefined) return [];
      const judgement = verify({ prompt, answer, completion: text });
      return judgement.correct ? [] : [{ problem, judgement }];
    });
    // A bare answer may lack the marker that the completions have: they show that it can be met.
    const isShown = what === "answer" && sample.some(({ completion }) => completion !== undefined);
    if (refused[0] !== undefined && !isShown) throw rejection(name, what, refused, count);
  }
  const empty = sample.find(
    ({ prompt, answer }) =>
      answer.trim() !== "" && verify({ prompt, answer, completion: "" }).correct,
  );
  if (empty === undefined) return;
  throw new PupilError(`${name} accepts a completion without a word in it.`, {
    field: "data.verifier",
    value: empty.answer,
    remedy: `It would call everything right: see ${empty.id}.`,
  });
}

interface Refused {
  readonly problem: Problem;
  readonly judgement: Judgement;
}

function rejection(
  name: string,
  what: "answer" | "completion",
  refused: readonly Refused[],
  count: number,
): PupilError {
  const { problem, judgement } = refused[0] as Refused;
  const given = what === "answer" ? "the row's own answer" : "the completion that the row gives";
  const read =
    judgement.answer === undefined ? "read no answer in it" : `read ${showValue(judgement.answer)}`;
  return new PupilError(
    `${name} rejects ${given}: it ${read}, and the answer is ${showValue(problem.answer)} ` +
      `(${refused.length} of ${count} rows looked at).`,
    {
      field: `data.verifier: ${problem.id}`,
      value: problem[what],
      remedy: "Take a verifier that reads these answers, or mend the rows.",
    },
  );
}
