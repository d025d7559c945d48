import { PupilError } from "../../errors/index.js";
import { shuffledIndex } from "../batches/shuffle.js";
import type { Verify } from "../verifiers/index.js";
import type { Problem, ProblemSource } from "./problem.js";

export interface FileProblems {
  /** For messages, such as `gsm8k.jsonl`. */
  readonly name: string;
  readonly train: readonly Problem[];
  readonly heldOut: readonly Problem[];
}

/**
 * The problems of rows: those of training in a new random order every epoch, held-out ones in theirs.
 * There are none that are longer than in training.
 */
export function fileSource({ name, train, heldOut }: FileProblems, verify: Verify): ProblemSource {
  const rows = { train, heldOut, longer: [] };
  return {
    name,
    size: (split) => rows[split].length,
    problem(split, index, random) {
      const { length } = rows[split];
      if (length === 0) {
        throw new PupilError(`${name} has no problems of the split "${split}".`, {
          field: "data",
          remedy: "Rows of files are in train and heldOut; evaluation.data names other data.",
        });
      }
      const at = split === "train" ? shuffledIndex(random, length, index) : index % length;
      return rows[split][at] as Problem;
    },
    verify(problem, completion) {
      const { prompt, answer } = problem;
      return {
        ...verify({ prompt, answer, completion }),
        traceCorrect: completion === problem.completion,
      };
    },
  };
}
