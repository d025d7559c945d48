import type { Tokenizer } from "../../data/index.js";
import type { Decoder } from "../../models/index.js";
import type { Teacher, TeacherConfig } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";

/** A run's parts that a teacher may need; they exist only once its own tokenizer is known. */
export interface TeacherRun {
  readonly tokenizer: Tokenizer;
  readonly student: Decoder;
  /**
   * Rows of the student's head, for teachers of its tokenizer: a teacher whose head has more or fewer,
   * all of them padding, is used on the rows that both have. Undefined for an aligned teacher.
   */
  readonly vocabSize: number | undefined;
  readonly random: Random;
}

/** What a config's teacher is made of, found and checked. Owns what it loaded. */
export interface LoadedTeacher {
  /** Of the teacher's own vocabulary; absent where it has the run's, whatever that is. */
  readonly tokenizer?: Tokenizer;
  readonly maxPositions?: number;
  /** Files with its weights; where there are none, its config is all that identifies it. */
  readonly weights?: readonly string[];
  /** What decides beside them; part of what identifies it. */
  readonly settings?: object;
  /** SHA-256 of the head that is applied to what it sends, see `hashOfHead`. */
  readonly headHash?: string;
  /** Of a teacher that is made of several, in their order. */
  readonly members?: readonly { readonly config: TeacherConfig; readonly loaded: LoadedTeacher }[];
  /** What to tell the user before the run starts; connecting may add to it. */
  readonly notes: readonly string[];
  /** The teacher for a run. Called once. */
  connect(run: TeacherRun): Promise<Teacher>;
  /** Releases what was loaded, whether or not the teacher was made. */
  dispose(): void;
}

/**
 * The rows of logits that a teacher with `rows` of them is to have: the student's, where both have one
 * for every id of the tokenizer. That they differ is added to the notes.
 */
export function fittedSize(
  rows: number,
  { vocabSize, tokenizer }: TeacherRun,
  notes: string[],
): number {
  if (vocabSize === undefined || vocabSize === rows) return rows;
  // Then one of them has no row for some id, which the check of losses and vocabularies names.
  if (Math.min(vocabSize, rows) < tokenizer.vocabSize) return rows;
  const count = (n: number) => n.toLocaleString("en-US");
  notes.push(
    `The teacher has ${count(rows)} rows of logits and the student ${count(vocabSize)}, for the ${count(tokenizer.vocabSize)} ids of one tokenizer: the rows that both have are used.`,
  );
  return vocabSize;
}

/** How one kind of teacher is loaded; every kind has a file beside this one. */
export type TeacherLoader<C> = (
  config: C,
  /** For teachers that are made of others. */
  load: (config: TeacherConfig) => Promise<LoadedTeacher>,
) => Promise<LoadedTeacher>;
