import { tokenViewer, type Tokenizer, type TokenSequence } from "../../data/index.js";
import {
  type Alternative,
  type TokenView,
  type TracedToken,
  type TraceRow,
  traceRowSchema,
} from "../../trainers/index.js";
import { readEnds } from "./read-ends.js";

/** Makes of the views of a row's tokens what a trace holds: texts, and numbers of four digits. */
export function tokenTracer(
  tokenizer: Tokenizer,
): (row: TokenSequence, views: readonly TokenView[]) => TracedToken[] {
  const show = tokenViewer(tokenizer);
  return ({ ids }, views) => {
    const textAfter = (before: readonly number[], id: number) =>
      show({ ids: [...before, id], completionStart: 0 }).at(-1)?.text ?? "";
    return views.map(({ position, id, student, studentEntropy, ofTeacher }) => {
      const before = ids.slice(position - 1, position);
      const list = (alternatives: readonly Alternative[]) =>
        alternatives.map(({ id: other, probability }) => ({
          text: textAfter(before, other),
          probability: brief(probability),
        }));
      const own = { text: textAfter(before, id), id, student: list(student) };
      const token = { ...own, studentEntropy: brief(studentEntropy) };
      if (ofTeacher === undefined) return token;
      const { likeliest, entropy, forwardKl, reverseKl, advantage } = ofTeacher;
      return {
        ...{ ...token, teacher: list(likeliest), teacherEntropy: brief(entropy) },
        ...{ forwardKl: brief(forwardKl), reverseKl: brief(reverseKl) },
        advantage: brief(advantage),
      };
    });
  };
}

const brief = (value: number) => Number(value.toPrecision(4));

/** The rows of a run's `traces.jsonl`, in order, of a large one the first and the last; none if it has no such file. */
export async function readTraces(path: string): Promise<TraceRow[]> {
  const lines = await readEnds(path, 2 ** 23);
  return lines.flatMap((line) => parseTrace(line) ?? []);
}

/** A line that is being written is no row. */
function parseTrace(line: string): TraceRow | undefined {
  try {
    return traceRowSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
