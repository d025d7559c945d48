import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Decoder,
  decodeSafetensors,
  decoderFromTensors,
  familyNames,
  type LayerResults,
  parseHuggingFaceConfig,
} from "../../src/models/index.js";
import { crossEntropyFromLogits } from "../../src/ops/index.js";
import { disposeAll, variableGradients } from "../../src/tensors/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { useWasmEngine } from "../setup/backends/wasm-engine.js";

/** Written by scripts/fixtures/make-model-fixtures.py with Hugging Face transformers. */
interface Expected {
  input_ids: number[][];
  attention_mask: number[][];
  logits: number[];
  loss: number;
  gradients: Record<string, { norm: number; first: number[] }>;
}

const fixtures = fileURLToPath(new URL("./fixtures/models/", import.meta.url));
const names = readdirSync(fixtures);
const namesWithLayers = names.filter((name) => existsSync(`${fixtures}${name}/layers.json`));

function load(name: string): {
  decoder: Decoder;
  expected: Expected;
  unknownKeys: readonly string[];
} {
  const path = (file: string) => `${fixtures}${name}/${file}`;
  const json = (file: string) => JSON.parse(readFileSync(path(file), "utf8"));
  const { config, unknownKeys } = parseHuggingFaceConfig(json("config.json"), path("config.json"));
  const file = path("model.safetensors");
  const tensors = decodeSafetensors(readFileSync(file), file);
  const decoder = decoderFromTensors(config, tensors, file);
  return { decoder, expected: json("expected.json"), unknownKeys };
}

/** Largest difference relative to the largest expected magnitude. */
function relativeError(actual: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs), 1e-6);
  return Math.max(...expected.map((x, i) => Math.abs(x - (actual[i] ?? Number.NaN)))) / scale;
}

/** Logits `[B, T, V]` at real positions, zeros elsewhere. */
function maskedLogits(decoder: Decoder, { input_ids, attention_mask }: Expected) {
  return tf.tidy(() => {
    const attentionMask = tf.tensor2d(attention_mask);
    const inputIds = tf.tensor2d(input_ids, undefined, "int32");
    const logits = decoder.forward({ inputIds, attentionMask });
    return logits.mul(attentionMask.expandDims(2)).dataSync();
  });
}

/** Logits of the last position `[B, V]` after a prompt of three tokens and one token at a time. */
function decodedLogits(decoder: Decoder, { input_ids, attention_mask }: Expected): number[][] {
  using cache = decoder.createCache();
  const width = input_ids[0]!.length;
  let last: number[][] = [];
  for (let end = 3; end <= width; end++) {
    last = tf.tidy(() => {
      const start = end === 3 ? 0 : end - 1;
      const cut = (rows: number[][], from: number) => rows.map((row) => row.slice(from, end));
      const inputIds = tf.tensor2d(cut(input_ids, start), undefined, "int32");
      const attentionMask = tf.tensor2d(cut(attention_mask, 0));
      const options = { lastPositionOnly: true };
      const logits = decoder.forward({ inputIds, attentionMask }, cache, options);
      return logits.squeeze<tf.Tensor2D>([1]).arraySync();
    });
  }
  return last;
}

/** What transformers gives as hidden_states, attentions and past_key_values, by `<state>.<layer>`. */
type ExpectedLayers = Record<string, { shape: number[]; data: number[] }>;

/** Every layer of everything, by the same names, with zeros at padding; and the logits. */
function layersOf(decoder: Decoder, { input_ids, attention_mask }: Expected) {
  const blocks = [1, 2];
  return tf.tidy(() => {
    const attentionMask = tf.tensor2d(attention_mask);
    const inputs = { inputIds: tf.tensor2d(input_ids, undefined, "int32"), attentionMask };
    const wanted = {
      hiddenStates: [0, ...blocks],
      attentions: blocks,
      keys: blocks,
      values: blocks,
    };
    const { logits, layers } = decoder.forwardWithLayers(inputs, wanted);
    const real = {
      hiddenStates: attentionMask.expandDims(2),
      attentions: attentionMask.expandDims(1).expandDims(3),
      keys: attentionMask.expandDims(1).expandDims(3),
      values: attentionMask.expandDims(1).expandDims(3),
    };
    const named = Object.entries(layers).flatMap(([state, byLayer]) =>
      Object.entries(byLayer).map(([layer, x]: [string, tf.Tensor]) => {
        const counted = x.mul(real[state as keyof LayerResults]);
        return [`${state}.${layer}`, { shape: x.shape, data: counted.dataSync() }] as const;
      }),
    );
    const same = logits.equal(decoder.forward(inputs)).all().dataSync()[0] === 1;
    return { found: Object.fromEntries(named), same };
  });
}

test("there are fixtures of every family", () => {
  const families = new Set(names.map((name) => name.split("-")[0]));
  expect([...families].toSorted()).toEqual([...familyNames].toSorted());
});

describe.each(["cpu", "the engine"])("on %s", (backend) => {
  beforeAll(async () => {
    if (backend !== "cpu") await useWasmEngine();
  });
  afterAll(useCpu);

  test.each(names)("%s: logits equal those of transformers, also under padding", (name) => {
    const { decoder, expected } = load(name);
    const logits = maskedLogits(decoder, expected);
    decoder.dispose();
    expect(relativeError(logits, expected.logits)).toBeLessThan(5e-6);
    const differences = expected.logits.map((x, i) => Math.abs(x - logits[i]!));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  });

  test.each(namesWithLayers)("%s: so do hidden states, attentions, keys and values", (name) => {
    const { decoder, expected } = load(name);
    const text = readFileSync(`${fixtures}${name}/layers.json`, "utf8");
    const layers = JSON.parse(text) as ExpectedLayers;
    const { found, same } = layersOf(decoder, expected);
    decoder.dispose();
    expect(same, "the logits are those without layers").toBe(true);
    expect(Object.keys(layers).length).toBeGreaterThanOrEqual(5);
    for (const [state, { shape, data }] of Object.entries(layers)) {
      expect(found[state]?.shape, state).toEqual(shape);
      expect(relativeError(found[state]!.data, data), state).toBeLessThan(5e-6);
    }
  });

  test.each(names)("%s: so do those of a token at a time", (name) => {
    const { decoder, expected } = load(name);
    const decoded = decodedLogits(decoder, expected);
    decoder.dispose();
    const [B, T] = [expected.input_ids.length, expected.input_ids[0]!.length];
    const vocabSize = expected.logits.length / (B * T);
    for (const [row, logits] of decoded.entries()) {
      if (expected.attention_mask[row]!.at(-1) === 0) continue;
      const end = (row + 1) * T * vocabSize;
      expect(relativeError(logits, expected.logits.slice(end - vocabSize, end))).toBeLessThan(1e-5);
    }
  });
});

describe.each(names)("%s", (name) => {
  test("the configuration has no key that we do not know", () => {
    const { decoder, unknownKeys } = load(name);
    expect(unknownKeys).toEqual([]);
    decoder.dispose();
  });

  test("loss and gradients equal those of PyTorch", () => {
    const { decoder, expected } = load(name);
    const { value, gradients } = variableGradients(
      () =>
        tf.tidy(() => {
          const ids = tf.tensor2d(expected.input_ids, undefined, "int32");
          const mask = tf.tensor2d(expected.attention_mask);
          const [batch, length] = ids.shape;
          const head = [batch, length - 1] as const;
          const labels = tf.slice(ids, [0, 1], [...head]);
          const counted = tf.slice(mask, [0, 0], [...head]).mul(tf.slice(mask, [0, 1], [...head]));
          const all = decoder.forward({ inputIds: ids, attentionMask: mask });
          const logits = tf.slice(all, [0, 0, 0], [...head, -1]);
          const losses = crossEntropyFromLogits(logits, labels).mul(counted);
          return losses.sum().div(counted.sum()) as tf.Scalar;
        }),
      [...decoder.parameters.values()],
    );
    expect(Math.abs(value.dataSync()[0]! - expected.loss)).toBeLessThan(5e-6);
    const parameterNames = [...decoder.parameters.keys()];
    expect(parameterNames.toSorted()).toEqual(Object.keys(expected.gradients).toSorted());
    for (const [i, parameterName] of parameterNames.entries()) {
      const { norm, first } = expected.gradients[parameterName]!;
      const values = gradients[i]!.dataSync();
      expect(Math.abs(Math.hypot(...values) / norm - 1), parameterName).toBeLessThan(2e-5);
      for (const [j, x] of first.entries()) {
        expect(Math.abs(values[j]! - x) / norm, `${parameterName}[${j}]`).toBeLessThan(2e-5);
      }
    }
    disposeAll([value, ...gradients, decoder]);
  });
});
