import { describe, expect, test } from "vitest";
import {
  type OnnxSession,
  type OnnxTensor,
  type OnnxValueInfo,
  openOnnxDecoder,
  withRows,
} from "../../../../src/teachers/index.js";
import { toFloat16 } from "../../../../src/models/checkpoints/half-precision.js";

const ids: OnnxValueInfo = { name: "input_ids", type: "int64", shape: ["b", "t"] };
const logits: OnnxValueInfo = { name: "logits", type: "float32", shape: ["b", "t", 3] };

/** A runtime that keeps what it is fed and answers every token with the logits 0, 1, 2. */
function session(
  inputs: readonly OnnxValueInfo[],
  answer: (feeds: Readonly<Record<string, OnnxTensor>>) => Record<string, OnnxTensor> = (feeds) => {
    const [batch, length] = feeds["input_ids"]?.dims as [number, number];
    const data = Float32Array.from({ length: batch * length * 3 }, (_, i) => i % 3);
    return { logits: { type: "float32", dims: [batch, length, 3], data } };
  },
  outputs: readonly OnnxValueInfo[] = [logits],
): OnnxSession & { readonly fed: Readonly<Record<string, OnnxTensor>>[] } {
  const fed: Readonly<Record<string, OnnxTensor>>[] = [];
  const run = (feeds: Readonly<Record<string, OnnxTensor>>) => {
    fed.push(feeds);
    return Promise.resolve(answer(feeds));
  };
  return { inputs, outputs, run, release: () => {}, fed };
}

const rows = {
  ...{ batch: 2, length: 2, ids: [1, 2, 3, 0] },
  ...{ mask: [1, 1, 1, 0], positions: [0, 1, 0, 0] },
};

describe("a decoder's session", () => {
  test("is fed by the names and types of its inputs, with empty caches", async () => {
    const runtime = session([
      ids,
      { name: "attention_mask", type: "float32", shape: ["b", "s"] },
      { name: "past_key_values.0.key", type: "float16", shape: ["b", 2, "past", 4] },
      { name: "past_1", type: "float32", shape: [2, "b", 2, "past", 4] },
      { name: "use_cache_branch", type: "bool", shape: [1] },
      { name: "num_logits_to_keep", type: "int64", shape: [] },
    ]);
    const decoder = await openOnnxDecoder(runtime, "fake");
    expect(decoder).toMatchObject({ vocabSize: 3, hasCache: false });
    // One real token tries it.
    expect(runtime.fed[0]).toMatchObject({
      input_ids: { dims: [1, 1], data: BigInt64Array.of(0n) },
      attention_mask: { dims: [1, 1], data: Float32Array.of(1) },
    });
    const { values, length } = await decoder.logits(rows);
    expect([length, ...values]).toEqual([2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
    expect(runtime.fed.at(-1)).toEqual({
      input_ids: { type: "int64", dims: [2, 2], data: BigInt64Array.of(1n, 2n, 3n, 0n) },
      attention_mask: { type: "float32", dims: [2, 2], data: Float32Array.of(1, 1, 1, 0) },
      "past_key_values.0.key": { type: "float16", dims: [2, 2, 0, 4], data: new Uint16Array(0) },
      past_1: { type: "float32", dims: [2, 2, 2, 0, 4], data: new Float32Array(0) },
      use_cache_branch: { type: "bool", dims: [1], data: Uint8Array.of(0) },
      num_logits_to_keep: { type: "int64", dims: [], data: BigInt64Array.of(0n) },
    });
  });

  test("gets back what it gave for earlier tokens", async () => {
    const key = { type: "float32", dims: [1, 1, 1, 1], data: Float32Array.of(7) };
    const past = { name: "past_key_values.0.key", type: "float32", shape: ["b", 1, "past", 1] };
    const present = { ...past, name: "present.0.key" };
    const answer = () => ({
      logits: { type: "float32", dims: [1, 1, 3], data: Float32Array.of(0, 1, 2) },
      "present.0.key": key,
    });
    const runtime = session([ids, past], answer, [logits, present]);
    const decoder = await openOnnxDecoder(runtime, "fake");
    expect(decoder.hasCache).toBe(true);
    const one = { batch: 1, length: 1, ids: [1], mask: [1], positions: [0] };
    const first = await decoder.step(one);
    await decoder.step({ ...one, past: first.past });
    expect(runtime.fed.at(-1)?.["past_key_values.0.key"]).toBe(key);
  });

  test("may give float16 logits, as bits", async () => {
    const data = Uint16Array.of(...[0.5, -2, 1024].map(toFloat16));
    const runtime = session([ids], () => ({
      logits: { type: "float16", dims: [1, 1, 3], data },
    }));
    const decoder = await openOnnxDecoder(runtime, "fake");
    const one = { batch: 1, length: 1, ids: [1], mask: [1], positions: [0] };
    expect([...(await decoder.logits(one)).values]).toEqual([0.5, -2, 1024]);
  });

  const pixels: OnnxValueInfo = { name: "pixel_values", type: "float32", shape: ["b", 3] };
  const flat = () => ({ logits: { type: "float32", dims: [1, 3], data: new Float32Array(3) } });
  const sized = (batch: number, length: number, size = 3) => ({
    logits: {
      ...{ type: "float32", dims: [batch, length, size] },
      data: new Float32Array(batch * length * size),
    },
  });
  const wholeNumbers = () => ({
    logits: { type: "int8", dims: [1, 1, 3], data: new Int8Array(3) },
  });
  test.each<[string, OnnxSession, RegExp]>([
    ["that reads no tokens", session([pixels]), /fake: .*no input_ids.*pixel_values/],
    ["that wants more than text", session([ids, pixels]), /wants the input "pixel_values"/],
    [
      "that has no logits",
      session([ids], undefined, [{ ...logits, name: "last_hidden_state" }]),
      /fake: .*no logits.*last_hidden_state/,
    ],
    [
      "whose tokens are not whole numbers",
      session([{ ...ids, type: "float16" }]),
      /"input_ids" has the type float16/,
    ],
    [
      "whose cache is quantized",
      session([ids, { name: "past_0", type: "uint8", shape: ["b"] }]),
      /"past_0" has the type uint8.*another file or dtype/,
    ],
    [
      "that answers about other rows",
      session([ids], () => sized(2, 1)),
      /logits are \[2, 1, 3\], expected \[1, 1, voc/,
    ],
    ["that answers about more tokens", session([ids], () => sized(1, 2)), /are \[1, 2, 3\], expe/],
    ["without a vocabulary", session([ids], () => sized(1, 1, 0)), /are \[1, 1, 0\], expected/],
    ["that classifies", session([ids], flat), /logits are \[1, 3\], expected \[1, 1, voc/],
    ["whose logits are whole numbers", session([ids], wholeNumbers), /logits have the type int8/],
  ])("%s is an error", async (_, runtime, message) => {
    await expect(openOnnxDecoder(runtime, "fake")).rejects.toThrow(message);
  });
});

test("another number of rows is cut, or filled far below the least of each position", async () => {
  const decoder = await openOnnxDecoder(session([ids]), "fake");
  const fitted = async (vocabSize: number) => {
    const fit = withRows(decoder, vocabSize);
    expect(fit.vocabSize).toBe(vocabSize);
    const found = await fit.logits(rows);
    expect((await fit.step(rows)).values).toEqual(found.values);
    expect(found.length).toBe(2);
    return [...found.values];
  };
  expect(withRows(decoder, 3)).toBe(decoder);
  expect(await fitted(2)).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  const wide = [0, 1, 2, -20, -20];
  expect(await fitted(5)).toEqual([...wide, ...wide, ...wide, ...wide]);
});
