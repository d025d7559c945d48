import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { weightBytes } from "../../../../src/folders/index.js";
import {
  freezeModel,
  frozenBytes,
  initializeDecoder,
  modelConfigSchema,
} from "../../../../src/models/index.js";
import { type HalfHoldingBackend, Random } from "../../../../src/tensors/index.js";

const config = modelConfigSchema.parse({
  ...{ family: "gpt2", vocabSize: 11, hiddenSize: 8, numLayers: 2, numHeads: 2, maxPositions: 6 },
});

test("a backend that was not asked to hold halves leaves a frozen model as it is", async () => {
  using model = initializeDecoder(config, new Random(1));
  const values = [...model.parameters.values()].map((parameter) => parameter.dataSync().slice());
  expect(await freezeModel(model, "teacher")).toBe(false);
  expect([...model.parameters.values()].map((parameter) => parameter.dataSync())).toEqual(values);
  expect(frozenBytes(config)).toBe(weightBytes(config));
  expect(frozenBytes(config)).toBe(4 * model.numParameters);
});

test("one that was gets all matrices once, and the head where it is none of them", async () => {
  using model = initializeDecoder(config, new Random(1));
  const head = tf.zeros<tf.Rank.R2>([5, 8]);
  const backend = tf.backend() as Partial<{
    -readonly [K in keyof HalfHoldingBackend]: HalfHoldingBackend[K];
  }>;
  const given: (readonly tf.Tensor[])[] = [];
  let largest = 1;
  Object.assign(backend, {
    holdsHalves: true,
    holdAsHalves: (tensors: readonly tf.Tensor[]) => {
      given.push(tensors);
      return Promise.resolve(Float32Array.from(tensors, (_, i) => (i === 1 ? largest : 0.5)));
    },
  });
  try {
    const matrices = [...model.parameters.values()].filter(({ rank }) => rank === 2);
    expect(matrices.length).toBe(2 + 2 * 4);
    expect(await freezeModel(model, "teacher")).toBe(true);
    await freezeModel({ parameters: model.parameters, headWeight: head }, "teacher");
    expect(given.map((tensors) => tensors.length)).toEqual([10, 11]);
    expect(given[1]).toEqual([...matrices, head]);
    const numbers = matrices.reduce((sum, { size }) => sum + size, 0);
    expect(frozenBytes(config)).toBe(4 * model.numParameters - 2 * numbers);
    largest = 65536;
    await expect(freezeModel(model, "models/large")).rejects.toThrow(
      "models/large: transformer.wpe.weight has a number of magnitude 65536, and one of 16 bits is at most 65504.",
    );
  } finally {
    delete backend.holdsHalves;
    delete backend.holdAsHalves;
    head.dispose();
  }
});
