import type { z } from "zod";
import type { TeacherSignal } from "../teacher.js";

/** A kind of teacher that a config can name: its options, and what teachers of it can give. */
export interface TeacherKind<T extends string = string, S extends z.ZodObject = z.ZodObject> {
  readonly type: T;
  /** One sentence. */
  readonly summary: string;
  /** Signals that some teacher of this kind gives, for messages that say where to find one. */
  readonly canGive: readonly TeacherSignal[];
  /** Whether it can write completions itself. */
  readonly writesText: boolean;
  /** With the field `type`. */
  readonly schema: S;
}

/** Types a kind from its parts; returns it unchanged. */
export function defineTeacherKind<T extends string, S extends z.ZodObject>(
  kind: TeacherKind<T, S>,
): TeacherKind<T, S> {
  return kind;
}
