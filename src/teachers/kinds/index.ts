import { z } from "zod";
import type { TeacherSignal } from "../teacher.js";
import type { TeacherKind } from "./define.js";
import { modelTeacherKind } from "./model.js";
import { onnxTeacherKind } from "./onnx.js";
import { selfTeacherKind } from "./self.js";

export { defineTeacherKind, type TeacherKind } from "./define.js";

/** Every kind of teacher, one line each. */
export const teacherKinds = [modelTeacherKind, selfTeacherKind, onnxTeacherKind] as const;

/** The teacher of a config, told apart by `type`. */
export const teacherSchema = z.discriminatedUnion("type", [
  modelTeacherKind.schema,
  onnxTeacherKind.schema,
  selfTeacherKind.schema,
]);
export type TeacherConfig = z.output<typeof teacherSchema>;

/** Kinds of teachers that can give all of these signals. */
export function kindsThatGive(signals: readonly TeacherSignal[]): string[] {
  const kinds: readonly TeacherKind[] = teacherKinds;
  return kinds
    .filter(({ canGive }) => signals.every((signal) => canGive.includes(signal)))
    .map(({ type }) => type);
}
