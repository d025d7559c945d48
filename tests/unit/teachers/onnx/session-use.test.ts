/** How a runtime's session is asked, cached and released. */
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import {
  type OnnxSession,
  type OnnxTensor,
  onnxTeacher,
  openOnnxDecoder,
} from "../../../../src/teachers/index.js";
import { cacheInputOf, decoderFeeds } from "../../../../src/teachers/onnx/decoder-feeds.js";
import { onnxSource } from "../../../../src/teachers/onnx/onnx-source.js";

const info = (name: string, type = "float32", shape: (number | string)[] = ["b", "t"]) => ({
  ...{ name, type, shape },
});

/** Answers every token with the logits 0, 1, 2, and counts how long its cache is. */
function session() {
  const wanted: (readonly string[])[] = [];
  const fed: Readonly<Record<string, OnnxTensor>>[] = [];
  let released = 0;
  const runtime: OnnxSession = {
    inputs: [info("input_ids", "int64"), info("past_key_values.0.key", "float32", ["b", "past"])],
    outputs: [info("logits"), info("present.0.key"), info("present.1.key"), info("hidden")],
    run: (feeds, names) => {
      fed.push(feeds);
      wanted.push(names);
      const [batch, length] = feeds["input_ids"]?.dims as [number, number];
      const logits = Float32Array.from({ length: batch * length * 3 }, (_, i) => i % 3);
      const before = feeds["past_key_values.0.key"]?.dims.at(-1) ?? 0;
      const dims = [batch, before + length];
      return Promise.resolve({
        logits: { type: "float32", dims: [batch, length, 3], data: logits },
        "present.0.key": { type: "float32", dims, data: new Float32Array(dims[0]! * dims[1]!) },
      });
    },
    release: () => {
      released += 1;
    },
  };
  return { runtime, wanted, fed, released: () => released };
}

test("an output is the cache of the input of its name, in either spelling", () => {
  const inputs = [info("past_key_values.0.key"), info("past.1.value"), info("other")];
  expect(cacheInputOf("present.0.key", inputs)).toBe("past_key_values.0.key");
  expect(cacheInputOf("present.1.value", inputs)).toBe("past.1.value");
  expect(cacheInputOf("present.2.key", inputs)).toBeUndefined();
  expect(cacheInputOf("other", inputs)).toBeUndefined();
});

test("only what is needed is asked for", async () => {
  const { runtime, wanted, released } = session();
  const decoder = await openOnnxDecoder(runtime, "fake");
  expect(decoder.hasCache).toBe(true);
  const one = { batch: 1, length: 1, ids: [1], mask: [1], positions: [0] };
  await decoder.logits(one);
  const { past } = await decoder.step(one);
  expect(Object.keys(past)).toEqual(["past_key_values.0.key"]);
  expect(wanted).toEqual([["logits"], ["logits"], ["logits", "present.0.key"]]);
  using teacher = onnxTeacher(decoder, "t");
  expect(teacher).toMatchObject({ name: "t", vocabSize: 3 });
  teacher.dispose();
  expect(released()).toBe(1);
});

test("a source feeds what it was given before, until it is closed", async () => {
  const { runtime, fed } = session();
  const source = onnxSource(await openOnnxDecoder(runtime, "fake"));
  expect(source).toMatchObject({ vocabSize: 3, maxPositions: Number.POSITIVE_INFINITY });
  const inputs = (length: number) => ({
    ...{ batch: 2, length, ids: new Int32Array(2 * length), mask: new Int32Array(2 * length) },
    positions: new Int32Array(2 * length),
  });
  const opened = source.open({} as never);
  const logits = await opened.next(inputs(3) as never);
  expect(tf.tidy(() => (logits as () => tf.Tensor)().arraySync())).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
  await opened.next(inputs(1) as never);
  const lengths = fed.slice(1).map((feeds) => feeds["past_key_values.0.key"]?.dims.at(-1));
  expect(lengths).toEqual([0, 3]);
  opened[Symbol.dispose]();
  await opened.next(inputs(1) as never);
  expect(fed.at(-1)?.["past_key_values.0.key"]?.dims.at(-1)).toBe(0);
});

test("an empty cache has the batch where the shape names it, and no positions", () => {
  const inputs = [
    info("input_ids", "int32", ["rows", "t"]),
    info("past_0", "float32", ["rows", 2, "length"]),
    info("past_1", "float16", ["Batch_size", 3, "past"]),
    info("attention_mask", "bool"),
  ];
  const rows = { batch: 2, length: 1, ids: [1, 2], mask: [1, 1, 1, 0], positions: [0, 0] };
  const feeds = decoderFeeds({ inputs }, rows);
  expect(feeds["past_0"]?.dims).toEqual([2, 2, 0]);
  expect(feeds["past_1"]?.dims).toEqual([2, 3, 0]);
  expect(feeds["input_ids"]).toEqual({ type: "int32", dims: [2, 1], data: Int32Array.of(1, 2) });
  expect(feeds["attention_mask"]).toEqual({
    ...{ type: "bool", dims: [2, 2], data: Uint8Array.of(1, 1, 1, 0) },
  });
});

test("draws, options and context are those of every teacher with logits", async () => {
  const { runtime } = session();
  const decoder = await openOnnxDecoder(runtime, "fake");
  using teacher = onnxTeacher(decoder, "t", { topK: 2 });
  using batch = makeBatch([{ ids: [1, 2, 0], completionStart: 1 }], 0);
  const scores = await teacher.score(batch, ["teacherTokenIds"]);
  expect(tf.tidy(() => scores.tensors().teacherTokenIds?.arraySync())).toEqual([
    [
      [2, 1],
      [2, 1],
    ],
  ]);
  expect(onnxTeacher(decoder, "t", { samples: 2, sampleTemperature: 2 }).sampleTemperature).toBe(2);
  expect(() => onnxTeacher(decoder, "t", { topK: 4 })).toThrow(/topK: is 4, more than/);
});
