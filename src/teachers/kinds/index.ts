import { z } from "zod";
import type { TeacherDefinition } from "../define.js";
import type { TeacherSignal } from "../teacher.js";
import { bimodalTeacherKind } from "./bimodal.js";
import type { TeacherKind } from "./define.js";
import { hiddenMarkovTeacherKind } from "./hidden-markov.js";
import { hiddenStatesTeacherKind } from "./hidden-states.js";
import { mixtureTeacherKindOf } from "./mixture.js";
import { httpTeacherKind } from "./http.js";
import { modelTeacherKind } from "./model.js";
import { nGramTeacherKind } from "./n-gram.js";
import { onnxTeacherKind } from "./onnx.js";
import { recordedTeacherKind } from "./recorded.js";
import { selfTeacherKind } from "./self.js";

export { defineTeacherKind, type TeacherKind } from "./define.js";

/** Every kind of teacher that can be one of several, one line each. */
const singleKinds = [
  modelTeacherKind,
  onnxTeacherKind,
  httpTeacherKind,
  recordedTeacherKind,
  hiddenStatesTeacherKind,
  nGramTeacherKind,
  hiddenMarkovTeacherKind,
  bimodalTeacherKind,
] as const;
const singleSchemas = [
  modelTeacherKind.schema,
  onnxTeacherKind.schema,
  httpTeacherKind.schema,
  recordedTeacherKind.schema,
  hiddenStatesTeacherKind.schema,
  nGramTeacherKind.schema,
  hiddenMarkovTeacherKind.schema,
  bimodalTeacherKind.schema,
] as const;

const mixtureTeacherKind = mixtureTeacherKindOf(singleSchemas);

/** Every kind of teacher. */
export const teacherKinds = [...singleKinds, selfTeacherKind, mixtureTeacherKind] as const;

/** The teacher of a config, told apart by `type`. */
export const teacherSchema = z.discriminatedUnion("type", [
  ...singleSchemas,
  selfTeacherKind.schema,
  mixtureTeacherKind.schema,
]);
export type TeacherConfig = z.output<typeof teacherSchema>;

/**
 * The same where teachers of the user's own can be named too, alone or among several. Typed as the built-in
 * one, so that a config has one type.
 */
export function teacherSchemaWith(own: readonly TeacherDefinition[]): typeof teacherSchema {
  if (own.length === 0) return teacherSchema;
  const ownSchemas = own.map(({ name, summary, config }) =>
    config.safeExtend({ type: z.literal(name) }).describe(summary),
  );
  const singles = [...singleSchemas, ...ownSchemas];
  const options = [...singles, selfTeacherKind.schema, mixtureTeacherKindOf(singles).schema];
  return z.discriminatedUnion("type", options as never) as unknown as typeof teacherSchema;
}

/** Kinds of teachers that can give all of these signals. */
export function kindsThatGive(signals: readonly TeacherSignal[]): string[] {
  const kinds: readonly TeacherKind[] = teacherKinds;
  return kinds
    .filter(({ canGive }) => signals.every((signal) => canGive.includes(signal)))
    .map(({ type }) => type);
}
