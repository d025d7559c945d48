import type { Tokenizer } from "../../data/index.js";
import type { Decoder } from "../../models/index.js";
import type { Teacher, TeacherConfig } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";

/** A run's parts that a teacher may need; they exist only once its own tokenizer is known. */
export interface TeacherRun {
  readonly tokenizer: Tokenizer;
  readonly student: Decoder;
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
  /** What to tell the user before the run starts. */
  readonly notes: readonly string[];
  /** The teacher for a run. Called once. */
  connect(run: TeacherRun): Promise<Teacher>;
  /** Releases what was loaded, whether or not the teacher was made. */
  dispose(): void;
}

/** How one kind of teacher is loaded; every kind has a file beside this one. */
export type TeacherLoader<C> = (
  config: C,
  /** For teachers that are made of others. */
  load: (config: TeacherConfig) => Promise<LoadedTeacher>,
) => Promise<LoadedTeacher>;
