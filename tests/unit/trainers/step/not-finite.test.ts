import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  crossEntropyLoss,
  forwardKlLoss,
  lossTerm,
  reverseKlLoss,
} from "../../../../src/losses/index.js";
import {
  type Decoder,
  initializeDecoder,
  type LanguageModel,
  modelConfigSchema,
} from "../../../../src/models/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { computeGradients, type MicroBatch } from "../../../../src/trainers/step/step.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 6, hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 16 },
});
const rows = [
  { ids: [0, 1, 2, 3], completionStart: 1 },
  { ids: [4, 5, 1, 2, 0], completionStart: 2 },
  { ids: [2, 2, 5], completionStart: 1 },
];
const tokenizer = { decode: (ids: readonly number[]) => ids.map((id) => "abcdef"[id]).join("") };

/** Uniform, but for −Infinity at some `[row, position, id]`. */
function logitsWithout(shape: readonly number[], places: readonly (readonly number[])[]) {
  const buffer = tf.buffer([...shape, 6]);
  for (const place of places) buffer.set(-Infinity, ...place);
  return buffer.toTensor() as tf.Tensor3D;
}

/** A student that gives some logits −Infinity. */
function masked(student: Decoder, id: number): LanguageModel {
  const forward: LanguageModel["forward"] = (batch) =>
    tf.tidy(() => {
      const mask = Array.from({ length: 6 }, (_, v) => (v === id ? -Infinity : 0));
      return student.forward(batch).add(tf.tensor1d(mask)) as tf.Tensor3D;
    });
  const members = { forward: { value: forward }, hiddenStates: { value: undefined } };
  return Object.create(student, members) as LanguageModel;
}

async function messageOf(
  loss: Parameters<typeof computeGradients>[1],
  { places = [], mask, parts = 1, packing = false, ...context }: Setting,
): Promise<string> {
  using decoder = initializeDecoder({ ...config, initializerRange: 0 }, new Random(1));
  const student = mask === undefined ? decoder : masked(decoder, mask);
  using batches = splitIntoBatches(rows.slice(0, 1), rows.slice(1), parts, 0, { packing });
  const scored = batches.parts.map((part): MicroBatch => {
    const { size, sequenceLength } = part.batch;
    const own = places
      .filter(([row = 0]) => row >= part.firstRow && row < part.firstRow + size)
      .map(([row = 0, ...rest]) => [row - part.firstRow, ...rest]);
    const tensors = () => ({ teacherLogits: logitsWithout([size, sequenceLength], own) });
    return { ...part, teacher: { tensors } };
  });
  const states = loss.map(() => undefined);
  const result = computeGradients(student, loss, scored, { progress: 0, states, ...context });
  return await result.then(
    (step) => {
      step.dispose();
      return "no error";
    },
    (error: Error) => error.message,
  );
}

interface Setting {
  readonly places?: readonly (readonly number[])[];
  readonly mask?: number;
  readonly parts?: number;
  readonly packing?: boolean;
  readonly tokenizer?: typeof tokenizer;
  readonly largestLogitsBytes?: number;
}

const reverse = [lossTerm(reverseKlLoss, {})];
// Row 2 of the step, of which ids from the third on are learned: position 2 predicts id 2, the fourth.
const places = [[1, 2, 5]];
const place =
  'term reverse-kl is Infinity. First at row 2 of the step, token 4 (id 2 "c"): ' +
  'the teacher rules out id 5 "f", to which the student gives 0.167. The parameters';

test.each([
  ["from logits", {}],
  ["from hidden states", { largestLogitsBytes: 0 }],
  ["in the second micro-batch", { parts: 2 }],
  ["in the second micro-batch, from hidden states", { parts: 2, largestLogitsBytes: 0 }],
])("the token that makes a divergence infinite is named: %s", async (_name, setting) => {
  const message = await messageOf(reverse, { places, tokenizer, ...setting });
  expect(
    message.replace("; the gradient of model.embed_tokens.weight and 11 more is not finite", ""),
  ).toContain(place);
});

test("ids do where no tokenizer is given, and the writer is told", async () => {
  const message = await messageOf(reverse, { places: [[0, 1, 4]] });
  expect(message).toMatch(
    /First at row 1 of the step, which the student wrote, token 3 \(id 2\): the teacher rules out id 4, to which/,
  );
});

test("a mask where nothing is learned is not to blame", async () => {
  expect(await messageOf(reverse, { places: [[1, 0, 5]] })).toBe("no error");
});

test("what the student rules out is named the other way round", async () => {
  const message = await messageOf([lossTerm(forwardKlLoss, {})], { mask: 3, tokenizer });
  expect(message).toContain(
    'First at row 1 of the step, which the student wrote, token 2 (id 1 "b"): the student rules out id 3 "d", to which the teacher gives 0.167.',
  );
  const label = await messageOf([lossTerm(crossEntropyLoss, {})], { mask: 5, tokenizer });
  expect(label).toContain(
    'First at row 3 of the step, token 3 (id 5 "f"): the student rules out id 5',
  );
});

test("packed rows are counted as the sequences that they hold", async () => {
  const message = await messageOf([lossTerm(crossEntropyLoss, {})], { mask: 5, packing: true });
  expect(message).toContain("First at row 3 of the step, token 3 (id 5)");
});

test("a row of no distribution is said to be none", async () => {
  const all = Array.from({ length: 6 }, (_, id) => [2, 0, id]);
  const message = await messageOf(reverse, { places: all });
  expect(message).toContain(
    "row 3 of the step, token 2 (id 2): the teacher rules out every token. The parameters",
  );
});
