/** Where the parts of a row lie that the teacher says something about. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import { coveredPlaces, type RowChunk } from "../../../../src/teachers/aligned/align-row.js";
import {
  chunkPlaces,
  logitPlaces,
  placeChunkLogProbs,
  placeLogits,
} from "../../../../src/teachers/aligned/place-signals.js";

const chunk = (
  [studentStart, studentEnd]: [number, number],
  [teacherStart, teacherEnd]: [number, number],
  comparable = studentStart > 0 && teacherStart > 0,
): RowChunk => ({ studentStart, studentEnd, teacherStart, teacherEnd, comparable });

/** The second row begins on both sides with what nothing stands before. */
const chunks = [
  [chunk([0, 1], [0, 1]), chunk([1, 2], [1, 3]), chunk([2, 4], [3, 4])],
  [chunk([0, 2], [0, 1]), chunk([2, 3], [1, 2]), chunk([3, 4], [2, 3], false)],
];
const rows = chunks.map((own) => ({ teacherIds: [1, 2, 3, 4], chunks: own }));
const ids = [5, 6, 7, 8];

test("logits stand where a chunk begins that something stands before, log-probabilities in comparable ones", () => {
  const covered = (signal: "teacherLogits" | "teacherTokenLogProbs") =>
    chunks.map((own) => coveredPlaces(4, own, signal).map(Number));
  expect(covered("teacherLogits")).toEqual([
    [0, 1, 1, 0],
    [0, 0, 1, 1],
  ]);
  expect(covered("teacherTokenLogProbs")).toEqual([
    [0, 1, 1, 1],
    [0, 0, 1, 0],
  ]);
  const onlyStudent = [chunk([1, 2], [0, 1]), chunk([0, 1], [1, 2])];
  expect(coveredPlaces(2, onlyStudent, "teacherLogits")).toEqual([false, false]);
});

test("both are about the id that comes next, in every row", () => {
  using batch = makeBatch(
    rows.map(() => ({ ids, completionStart: 1 })),
    0,
  );
  const aligned = { batch, rows, teacherLength: 3 };
  tf.tidy(() => {
    // Number 10 · row + position at every position of the teacher's rows.
    const about = tf.tensor2d([
      [1, 2, 3],
      [11, 12, 13],
    ]);
    const logits = placeLogits(batch, logitPlaces(aligned), about.expandDims(2))
      .squeeze([2])
      .arraySync() as number[][];
    expect([logits[0]?.[0], logits[0]?.[1]]).toEqual([1, 3]);
    expect([logits[1]?.[1], logits[1]?.[2]]).toEqual([11, 12]);
    const spread = chunkPlaces(aligned, "spread");
    expect(placeChunkLogProbs(batch, spread, about).arraySync()).toEqual([
      [3, 1.5, 1.5],
      [0, 11, 0],
    ]);
    const last = chunkPlaces(aligned, "last");
    expect(placeChunkLogProbs(batch, last, about).arraySync()).toEqual([
      [3, 0, 3],
      [0, 11, 0],
    ]);
  });
});

test("what nothing stands before says nothing about the row before", () => {
  const before = [chunk([0, 1], [0, 1]), chunk([1, 3], [1, 2]), chunk([3, 4], [2, 3])];
  const after = [chunk([0, 1], [1, 2]), chunk([1, 2], [0, 1]), chunk([2, 4], [2, 3])];
  const two = [before, after].map((own) => ({ teacherIds: [1, 2, 3, 4], chunks: own }));
  using batch = makeBatch(
    two.map(() => ({ ids, completionStart: 1 })),
    0,
  );
  tf.tidy(() => {
    const about = tf.tensor3d([
      [[1], [2], [3]],
      [[11], [12], [13]],
    ]);
    const places = logitPlaces({ batch, rows: two, teacherLength: 3 });
    const placed = placeLogits(batch, places, about).squeeze([2]);
    expect(placed.arraySync()).toEqual([
      [1, 1, 2],
      [1, 12, 1],
    ]);
  });
});
