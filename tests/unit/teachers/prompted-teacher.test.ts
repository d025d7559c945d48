import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  type Batch,
  makeBatch,
  type TokenSequence,
  withSequences,
} from "../../../src/data/index.js";
import { PupilError } from "../../../src/errors/index.js";
import { promptedTeacher, type Teacher, type TeacherSignal } from "../../../src/teachers/index.js";

/** A letter is its place in the alphabet; 27 begins and 28 and 29 end a text. */
const tokenizer = {
  ...{ startIds: [27], endIds: [28, 29], padId: 0 },
  encode: (text: string) => {
    if (text.includes("?")) throw new PupilError("no ? here.");
    if (text.includes("!")) throw new TypeError("a bug");
    return [...text].map((letter) => letter.charCodeAt(0) - 96);
  },
};

/** Says of every position which id stands there, as log-probability and as hidden state. */
function echoTeacher(provides: TeacherSignal[] = ["teacherTokenLogProbs"], fails = false) {
  const seen: TokenSequence[] = [];
  let disposed = 0;
  const teacher: Teacher = {
    ...{ name: "echo", vocabSize: 30, provides },
    score: (batch: Batch) => {
      seen.push(...batch.sequences);
      if (fails) return Promise.reject(new Error("no answer"));
      return Promise.resolve({
        tensors: () => {
          const ids = batch.inputIds.toFloat() as tf.Tensor2D;
          const hiddenStates = { "0": ids.expandDims<tf.Tensor3D>(2) };
          return { teacherTokenLogProbs: ids, layers: { hiddenStates } } as never;
        },
        dispose: () => {
          disposed += 1;
        },
      });
    },
    complete: () => Promise.resolve([]),
    model: {} as never,
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  return { teacher, seen, disposed: () => disposed };
}

test("reads its own prompt behind the start ids, with the completion without end ids", async () => {
  const { teacher, seen, disposed } = echoTeacher();
  using prompted = promptedTeacher(teacher, "x{completion}y{prompt}z", tokenizer);
  using batch = makeBatch(
    [
      { ids: [27, 1, 2, 3, 4, 28], completionStart: 3 },
      { ids: [1, 2, 5, 29], completionStart: 2, reference: [6, 7, 28], id: "named" },
    ],
    0,
  );
  const scores = await prompted.score(batch, ["teacherTokenLogProbs"]);
  expect(seen.map(({ ids }) => ids)).toEqual([
    [27, 24, 3, 4, 25, 1, 2, 26, 3, 4, 28],
    [27, 24, 6, 7, 25, 1, 2, 26, 5, 29],
  ]);
  expect(seen.map(({ completionStart }) => completionStart)).toEqual([8, 8]);
  const [read, hidden] = tf.tidy(() => {
    const { teacherTokenLogProbs, layers } = scores.tensors();
    const states = layers?.hiddenStates as unknown as Record<string, tf.Tensor3D>;
    return [teacherTokenLogProbs?.arraySync(), states["0"]?.squeeze([2]).arraySync()];
  }) as [number[][], number[][]];
  // The id before each of the completion's, on both sides; the last of the prompt is z. Where nothing
  // is said stands the first position.
  expect(read).toEqual([
    [27, 27, 26, 3, 4],
    [27, 26, 5, 27, 27],
  ]);
  expect(hidden).toEqual(read);
  expect(disposed()).toBe(0);
  scores.dispose?.();
  expect(disposed()).toBe(1);
});

test("goes by where a sequence stands in its row", async () => {
  const { teacher } = echoTeacher();
  using prompted = promptedTeacher(teacher, "{prompt}", tokenizer);
  using batch = makeBatch([{ ids: [9, 9, 9, 1, 2, 3, 4], completionStart: 1 }], 0);
  const placed = [
    { ids: [5, 6, 7], completionStart: 1, row: 0, start: 0 },
    { ids: [1, 2, 3, 4], completionStart: 2, row: 0, start: 3 },
  ];
  const scores = await prompted.score(withSequences(batch, placed), ["teacherTokenLogProbs"]);
  const read = tf.tidy(() => scores.tensors().teacherTokenLogProbs?.arraySync()) as number[][];
  scores.dispose?.();
  expect(read[0]?.slice(0, 2)).toEqual([5, 6]);
  expect(read[0]?.slice(4, 6)).toEqual([2, 3]);
});

test("cannot say what belongs to its own rows, nor write, nor be the student's model", () => {
  const given: TeacherSignal[] = [
    ...(["teacherLogits", "teacherHiddenStates"] as const),
    ...(["teacherAttentions", "teacherKeys", "teacherValues"] as const),
  ];
  const { teacher } = echoTeacher(given);
  using prompted = promptedTeacher(teacher, "{prompt}", tokenizer);
  expect(prompted.provides).toEqual(["teacherLogits", "teacherHiddenStates"]);
  expect(prompted.name).toBe("echo with a prompt of its own");
  expect(prompted).not.toHaveProperty("complete");
  expect(prompted).not.toHaveProperty("model");
});

test("without layers there are none, and a failure leaves nothing behind", async () => {
  const { teacher } = echoTeacher();
  const plain = {
    ...teacher,
    score: async (...given: Parameters<Teacher["score"]>) => {
      const scores = await teacher.score(...given);
      return { tensors: () => ({ teacherTokenLogProbs: scores.tensors().teacherTokenLogProbs! }) };
    },
  };
  using batch = makeBatch([{ ids: [1, 2, 3], completionStart: 1 }], 0);
  using prompted = promptedTeacher(plain, "{prompt}", tokenizer);
  const scores = await prompted.score(batch, ["teacherTokenLogProbs"]);
  expect(tf.tidy(() => Object.keys(scores.tensors()))).toEqual(["teacherTokenLogProbs"]);
  scores.dispose?.();
  using failing = promptedTeacher(echoTeacher([], true).teacher, "{prompt}", tokenizer);
  await expect(failing.score(batch, [])).rejects.toThrow("no answer");
});

test("a template that the tokenizer refuses is named; a bug is not hidden", () => {
  const { teacher } = echoTeacher();
  expect(() => promptedTeacher(teacher, "why? {prompt}", tokenizer)).toThrow(
    "teacher.prompt: no ? here.",
  );
  expect(() => promptedTeacher(teacher, "now! {prompt}", tokenizer)).toThrow(TypeError);
  expect(() => promptedTeacher(teacher, "{prompt} {completion} {x}", tokenizer)).toThrow(
    "teacher.prompt: has the unknown placeholder {x}.",
  );
});
