import type { z } from "zod";
import type { Tokenizer } from "../data/index.js";
import type { Random } from "../tensors/index.js";
import type { Teacher } from "./teacher.js";

/** What a run has for a teacher of one's own. */
export interface OwnTeacherRun {
  /** The run's; the teacher speaks its ids. */
  readonly tokenizer: Tokenizer;
  /** Rows of the student's head, at least as many as the tokenizer has ids. */
  readonly vocabSize: number;
  /** Of the run's seed, for what the teacher draws once; draws of a step come with its context. */
  readonly random: Random;
}

/**
 * A kind of teacher that a config can name once its file is listed in `teachers`:
 * `{ "teachers": ["mine.ts"], "teacher": { "type": "<name>", … } }`.
 */
export interface TeacherDefinition<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  /** Name in configs, logs and docs. */
  readonly name: N;
  /** One sentence. */
  readonly summary: string;
  /** Options with defaults, every field described; not `type`, `weight` or `when`, which a config has beside them. */
  readonly config: S;
  /** The teacher of a run; the run disposes it. */
  connect(config: z.output<S>, run: OwnTeacherRun): Teacher | Promise<Teacher>;
}

/** Types a definition from its parts; returns it unchanged. */
export function defineTeacher<N extends string, S extends z.ZodObject>(
  definition: TeacherDefinition<N, S>,
): TeacherDefinition<N, S> {
  return definition;
}
