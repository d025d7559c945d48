import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../src/data/index.js";
import { ownDistribution } from "../../../src/rollouts/index.js";
import { averageTeacher, modelTeacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { ChainModel } from "../../setup/models/chain-model.js";
import { logitsOf, tinyConfigs, tinyDecoder } from "../models/tiny-models.js";

const config = tinyConfigs["llama"]!;
const rows = [{ ids: [1, 2, 3, 4], completionStart: 2 }];

test("a model says what it is, what it can read and what it gives", () => {
  using teacher = modelTeacher(tinyDecoder(config));
  expect(teacher).toMatchObject({ name: "model", vocabSize: 7, maxPositions: 12 });
  expect(teacher.provides.slice(0, 2)).toEqual(["teacherLogits", "teacherTokenLogProbs"]);
  expect(teacher.provides).not.toContain("teacherTokenIds");
  expect(teacher).not.toHaveProperty("sampleTemperature");
  const draws = { samples: 2, sampleTemperature: 0.5 };
  using drawing = modelTeacher(tinyDecoder(config), "draws", draws);
  expect(drawing).toMatchObject({ name: "draws", sampleTemperature: 0.5 });
  expect(drawing.provides).toContain("teacherSampleLogProbs");
  const decoder = tinyDecoder(config);
  expect(() => modelTeacher(decoder, "many", { topK: 8 })).toThrow(/teacher\.topK: is 8/);
  decoder.dispose();
});

test("for its logits alone it also gives what they are made of", async () => {
  using teacher = modelTeacher(tinyDecoder(config));
  using batch = makeBatch(rows, 0);
  const { hidden, tensors } = await teacher.score(batch, ["teacherLogits"]);
  tf.tidy(() => {
    const { hidden: states, head } = hidden?.() as { hidden: tf.Tensor3D; head: tf.Tensor2D };
    const flat = states.reshape([3, -1]);
    const transposed = head.shape[0] === config.vocabSize;
    const made = tf.matMul(flat, head, false, transposed).arraySync() as number[][];
    const logits = (tensors().teacherLogits?.arraySync() as number[][][])[0] ?? [];
    for (const [t, own] of logits.entries()) {
      for (const [v, value] of own.entries()) expect(made[t]?.[v]).toBeCloseTo(value, 4);
    }
  });
  const more = await teacher.score(batch, ["teacherLogits", "teacherTokenLogProbs"]);
  expect(more.hidden).toBeUndefined();
  using chain = modelTeacher(new ChainModel(10));
  expect((await chain.score(batch, ["teacherLogits"])).hidden).toBeUndefined();
});

test("its logits are those of a forward pass; of layers only what is asked for", async () => {
  using teacher = modelTeacher(tinyDecoder(config));
  using alone = tinyDecoder(config);
  using batch = makeBatch(rows, 0);
  const scores = await teacher.score(batch, ["teacherLogits"]);
  const given = tf.tidy(() => scores.tensors().teacherLogits?.arraySync());
  expect(given).toEqual(logitsOf(alone, [[1, 2, 3]]));
  expect(tf.tidy(() => Object.keys(scores.tensors()))).toEqual(["teacherLogits"]);
  using chain = modelTeacher(new ChainModel(10));
  const context = { random: new Random(1), firstRow: 0, layers: { hiddenStates: [0] } as never };
  const none = await chain.score(batch, ["teacherLogits"], context);
  expect(() => tf.tidy(() => void none.tensors())).toThrow("This model shows no layers.");
});

test("the states of the layers that the context asks for come beside the logits", async () => {
  using teacher = modelTeacher(tinyDecoder(config));
  using alone = tinyDecoder(config);
  using batch = makeBatch(rows, 0);
  const layers = { hiddenStates: [1, 2] };
  const context = { random: new Random(1), firstRow: 0, layers };
  const scores = await teacher.score(batch, ["teacherLogits", "teacherHiddenStates"], context);
  tf.tidy(() => {
    const given = scores.tensors();
    const expected = alone.forwardWithLayers(batch, layers);
    expect(Object.keys(given).sort()).toEqual(["layers", "teacherLogits"]);
    expect(given.teacherLogits?.arraySync()).toEqual(expected.logits.arraySync());
    const valuesOf = (states: object | undefined) =>
      Object.entries(states ?? {}).map(([layer, state]) => [
        layer,
        (state as tf.Tensor).arraySync(),
      ]);
    expect(valuesOf(given.layers?.hiddenStates)).toEqual(valuesOf(expected.layers.hiddenStates));
    expect(valuesOf(given.layers?.hiddenStates)).toHaveLength(2);
  });
});

test("it writes as it would by itself", async () => {
  using teacher = modelTeacher(new ChainModel(10));
  const how = {
    ...{ endIds: [6], padId: 0, maxNewTokens: 5, random: new Random(1) },
    policy: { ...ownDistribution, greedy: true },
  };
  const written = await teacher.complete?.([[2, 3], [7]], how);
  expect(written?.map(({ completionIds }) => completionIds)).toEqual([
    [4, 5, 6],
    [8, 9, 0, 1, 2],
  ]);
});

test("an average has the options and the name of its own; a weight that is not trained stays to the bit", async () => {
  using student = tinyDecoder(config);
  const [fixedName, fixed] = [...student.parameters][1] as [string, tf.Variable];
  fixed.trainable = false;
  // A number of which 0.9 and 0.1 do not add up to the same again in float32.
  const value = Array.from({ length: 2000 }, (_, i) => Math.fround(0.1 + i / 977)).find((x) => {
    return Math.fround(Math.fround(x * 0.9) + Math.fround(x * Math.fround(1 - 0.9))) !== x;
  }) as number;
  tf.tidy(() => fixed.assign(tf.fill(fixed.shape, value)));
  using teacher = averageTeacher(student, 0.9, { topK: 2 });
  expect(teacher.name).toBe("average of the student");
  expect(teacher.provides).toContain("teacherTopLogProbs");
  teacher.afterStep?.();
  const state = (await teacher.state?.read()) as Map<string, { data: Float32Array }>;
  expect(new Set(state.get(fixedName)?.data)).toEqual(new Set([Math.fround(value)]));
});
