import * as tf from "@tensorflow/tfjs-core";
import { learnedPositions, makeBatch, type TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { HiddenStates } from "../../ops/index.js";
import { Random, readValues } from "../../tensors/index.js";
import type { Teacher } from "../teacher.js";
import { largestFloat16, type RecordedRow } from "./row-codec.js";

/** A head on the host, `[V, D]` row by row: logits are `hidden · headᵀ`. */
export interface HeadValues {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly values: Float32Array;
}

/**
 * What a teacher's head reads at the learned positions of rows, for a recording.
 *
 * @throws PupilError if the teacher has no hidden states to give, or ones that are not finite or too
 *   large for float16
 */
export async function readHiddenRows(
  teacher: Teacher,
  rows: readonly TokenSequence[],
  { padId, dtype }: { readonly padId: number; readonly dtype: "float16" | "float32" },
): Promise<RecordedRow<Float32Array>[]> {
  using batch = makeBatch(rows, padId);
  const hidden = await fromHidden(teacher, batch, ({ hidden }) => hidden);
  const values = await readValues(hidden, "float32");
  const D = hidden.shape[2] as number;
  return rows.map((row, index) => {
    const positions = learnedPositions(row).map((position) => {
      const at = (index * batch.sequenceLength + position - 1) * D;
      const state = values.slice(at, at + D);
      requireStorable(
        state,
        dtype,
        `${row.id ?? `row ${index + 1} of the batch`}, token ${position}`,
      );
      return state;
    });
    return { ids: row.ids, positions, ...(row.id === undefined ? {} : { id: row.id }) };
  });
}

/** The head that a teacher applies; `row` is any that it can score. */
export async function readTeacherHead(
  teacher: Teacher,
  row: TokenSequence,
  padId: number,
): Promise<HeadValues> {
  using batch = makeBatch([row], padId);
  const head = await fromHidden(teacher, batch, (states) => states.head);
  const [vocabSize, hiddenSize] = head.shape as [number, number];
  // A copy: some backends hand out the memory that a variable lives in.
  const values = Float32Array.from(await readValues(head, "float32"));
  return { vocabSize, hiddenSize, values };
}

/** A copy of one of the two tensors, which the caller owns. */
async function fromHidden(
  teacher: Teacher,
  batch: Parameters<Teacher["score"]>[0],
  choose: (states: HiddenStates) => tf.Tensor,
): Promise<tf.Tensor> {
  const context = { random: new Random(0), firstRow: 0 };
  const scores =
    teacher.restrict === undefined
      ? await teacher.score(batch, ["teacherLogits"], context)
      : undefined;
  try {
    const { hidden } = scores ?? {};
    if (hidden !== undefined) return tf.tidy(() => choose(hidden()).clone());
  } finally {
    scores?.dispose?.();
  }
  throw new PupilError(`The teacher "${teacher.name}" has no hidden states to record.`, {
    field: "store",
    value: "hidden-states",
    remedy:
      "Record a model folder with the student's own tokenizer and no prompt of its own, or leave `store` out for its likeliest tokens.",
  });
}

function requireStorable(state: Float32Array, dtype: "float16" | "float32", where: string): void {
  const wrong = state.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) {
    throw new PupilError(`The teacher's hidden state holds ${wrong}.`, {
      field: where,
      remedy: "Its weights or its computation are broken: evaluate it on this data.",
    });
  }
  // Half a step above the largest is where rounding gives infinity.
  const large =
    dtype === "float16" && state.find((value) => Math.abs(value) >= largestFloat16 + 16);
  if (large === undefined || large === false) return;
  throw new PupilError(`The teacher's hidden state holds ${large}, too large for float16.`, {
    field: where,
    remedy: "Record with dtype=float32.",
  });
}
