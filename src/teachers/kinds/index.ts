import { z } from "zod";
import type { TeacherSignal } from "../teacher.js";
import { bimodalTeacherKind } from "./bimodal.js";
import type { TeacherKind } from "./define.js";
import { hiddenMarkovTeacherKind } from "./hidden-markov.js";
import { mixtureTeacherKindOf } from "./mixture.js";
import { modelTeacherKind } from "./model.js";
import { nGramTeacherKind } from "./n-gram.js";
import { recordedTeacherKind } from "./recorded.js";

export { defineTeacherKind, type TeacherKind } from "./define.js";

/** Every kind of teacher but several of them, one line each. */
const singleKinds = [
  modelTeacherKind,
  recordedTeacherKind,
  nGramTeacherKind,
  hiddenMarkovTeacherKind,
  bimodalTeacherKind,
] as const;
const singleSchemas = [
  modelTeacherKind.schema,
  recordedTeacherKind.schema,
  nGramTeacherKind.schema,
  hiddenMarkovTeacherKind.schema,
  bimodalTeacherKind.schema,
] as const;

const mixtureTeacherKind = mixtureTeacherKindOf(singleSchemas);

export const teacherKinds = [...singleKinds, mixtureTeacherKind] as const;

/** The teacher of a config, told apart by `type`. */
export const teacherSchema = z.discriminatedUnion("type", [
  ...singleSchemas,
  mixtureTeacherKind.schema,
]);
export type TeacherConfig = z.output<typeof teacherSchema>;

/** Kinds of teachers that can give all of these signals. */
export function kindsThatGive(signals: readonly TeacherSignal[]): string[] {
  const kinds: readonly TeacherKind[] = teacherKinds;
  return kinds
    .filter(({ canGive }) => signals.every((signal) => canGive.includes(signal)))
    .map(({ type }) => type);
}
