import {
  checkVerifier,
  fileSource,
  type NamedExample,
  type Problem,
  type TrainingProblems,
  type VerifierConfig,
  type VerifierDefinition,
  verifierOf,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import { trainingProblems, withCommas } from "./dataset-kind.js";

export interface RowProblems {
  /** Absent for chats: what a student is asked there is no plain text. */
  readonly problems?: TrainingProblems;
  /** The validation rows as problems, in their order; absent with `problems`. */
  readonly heldOut?: readonly Problem[];
  /** Whether a completion of validation row `index` is right. */
  judge(index: number, completion: string): boolean;
  readonly notes: readonly string[];
}

export interface RowProblemOptions {
  /** Of the files. */
  readonly name: string;
  readonly verifier: VerifierConfig;
  /** Verifiers beside the built-in ones. */
  readonly own: readonly VerifierDefinition[];
  readonly random: Random;
}

/**
 * The problems of rows of which the first `trainCount` are to train on.
 *
 * @throws PupilError if rows have no answer, or if the verifier rejects what the rows say is right
 */
export function problemsOfRows(
  rows: readonly NamedExample[],
  trainCount: number,
  { name, verifier, own, random }: RowProblemOptions,
): RowProblems {
  requireAnswers(rows);
  const verify = verifierOf(verifier, own);
  const all = rows.map(problemOfRow);
  checkVerifier(all, verify, `The verifier "${verifier.type}"`);
  const train = all.slice(0, trainCount);
  const heldOut = all.slice(trainCount);
  const judge = (index: number, completion: string) => {
    const { prompt, answer } = heldOut[index] as Problem;
    return verify({ prompt, answer, completion }).correct;
  };
  if (rows.some(({ example }) => "messages" in example)) {
    return { judge, notes: [chatsNote] };
  }
  const source = fileSource({ name, train, heldOut }, verify);
  return {
    problems: trainingProblems(source, random),
    heldOut,
    judge,
    notes: notesOn(train, heldOut),
  };
}

const chatsNote =
  "The rows are chats: their completions are verified, but methods that sample from problems need prompts of plain text.";

function problemOfRow({ example, id }: NamedExample): Problem {
  const answer = example.answer as string;
  if ("messages" in example) return { id, answer, prompt: "" };
  const { prompt, completion } = example;
  const isWhole = completion !== undefined && !("finished" in example);
  return { id, prompt, answer, ...(isWhole ? { completion } : {}) };
}

/** Rows that a message names. */
const shownRows = 5;

function requireAnswers(rows: readonly NamedExample[]): void {
  const without = rows.filter(({ example: { answer } }) => answer === undefined);
  if (without.length === 0) return;
  const names = without.slice(0, shownRows).map(({ id }) => id);
  const more = without.length > names.length ? ", …" : "";
  throw new PupilError(
    `${withCommas(without.length)} of ${withCommas(rows.length)} rows have no answer: ${names.join(", ")}${more}.`,
    {
      field: "data.verifier",
      remedy:
        "Give every row an answer, name its field in data.fields.answer (it may be the completion's), or leave the verifier out.",
    },
  );
}

/** What is odd about the two parts together. */
function notesOn(train: readonly Problem[], heldOut: readonly Problem[]): string[] {
  const trained = new Set(train.map(({ prompt }) => prompt));
  const shared = heldOut.filter(({ prompt }) => trained.has(prompt));
  if (shared.length === 0) return [];
  return [
    `${withCommas(shared.length)} of ${withCommas(heldOut.length)} validation prompts are trained on too, such as ${shared[0]?.id}.`,
  ];
}
