import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addPeftAdapter,
  type Decoder,
  decodeSafetensors,
  decoderFromTensors,
  mergeAdapter,
  parseHuggingFaceConfig,
  parsePeftConfig,
  setActiveAdapter,
} from "../../src/models/index.js";
import { crossEntropyFromLogits } from "../../src/ops/index.js";
import { disposeAll, variableGradients } from "../../src/tensors/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { useWasmEngine } from "../setup/backends/wasm-engine.js";
import { largestDifference, logitsOf } from "../unit/models/tiny-models.js";

/** Written by scripts/fixtures/make-adapter-fixtures.py with PEFT. */
interface Expected {
  base: string;
  input_ids: number[][];
  logits: number[];
  loss: number;
  gradients: Record<string, { norm: number; first: number[] }>;
}

const fixtures = fileURLToPath(new URL("./fixtures/", import.meta.url));
const names = readdirSync(`${fixtures}adapters`);
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const tensors = (path: string) => decodeSafetensors(readFileSync(path), path);

function load(name: string) {
  const folder = `${fixtures}adapters/${name}/`;
  const expected = json(`${folder}expected.json`) as Expected;
  const base = `${fixtures}models/${expected.base}/`;
  const { config } = parseHuggingFaceConfig(json(`${base}config.json`), base);
  const decoder = decoderFromTensors(config, tensors(`${base}model.safetensors`), base);
  const peft = parsePeftConfig(json(`${folder}adapter_config.json`), folder);
  const file = `${folder}adapter_model.safetensors`;
  addPeftAdapter(decoder, "tuned", peft, tensors(file), file);
  return { decoder, expected, peft };
}

function expectLogits(decoder: Decoder, { input_ids, logits }: Expected): void {
  const found = logitsOf(decoder, input_ids).flat(2);
  expect(largestDifference(found, logits)).toBeLessThan(2e-5);
}

/** Logits of the last position after a prompt of two tokens and then one token at a time. */
function decodedLogits(decoder: Decoder, ids: number[][]): number[][] {
  using cache = decoder.createCache();
  const width = (ids[0] as number[]).length;
  let last: number[][] = [];
  for (let end = 2; end <= width; end++) {
    last = tf.tidy(() => {
      const part = ids.map((row) => row.slice(end === 2 ? 0 : end - 1, end));
      const logits = decoder.forward({ inputIds: tf.tensor2d(part, undefined, "int32") }, cache, {
        lastPositionOnly: true,
      });
      return logits.squeeze<tf.Tensor2D>([1]).arraySync();
    });
  }
  return last;
}

describe.each(["cpu", "the engine"])("on %s", (backend) => {
  beforeAll(async () => {
    if (backend !== "cpu") await useWasmEngine();
  });
  afterAll(useCpu);

  test.each(names)("%s: an adapter made by PEFT has its logits, beside and merged", (name) => {
    const { decoder: loaded, expected } = load(name);
    using decoder = loaded;
    const without = logitsOf(decoder, expected.input_ids).flat(2);
    expect(largestDifference(without, expected.logits)).toBeGreaterThan(0.1);
    setActiveAdapter(decoder, "tuned");
    expectLogits(decoder, expected);
    const [B, T] = [expected.input_ids.length, (expected.input_ids[0] as number[]).length];
    const vocabSize = expected.logits.length / (B * T);
    const decoded = decodedLogits(decoder, expected.input_ids);
    for (const [row, logits] of decoded.entries()) {
      const end = (row + 1) * T * vocabSize;
      const wanted = expected.logits.slice(end - vocabSize, end);
      expect(largestDifference(logits, wanted)).toBeLessThan(2e-5);
    }
    mergeAdapter(decoder, "tuned");
    expectLogits(decoder, expected);
  });
});

test.each(names)("%s: loss and the adapter's gradients equal those of PyTorch", (name) => {
  const { decoder, expected } = load(name);
  setActiveAdapter(decoder, "tuned");
  const trainable = decoder.trainableParameters();
  const { value, gradients } = variableGradients(
    () =>
      tf.tidy(() => {
        const ids = tf.tensor2d(expected.input_ids, undefined, "int32");
        const [B, T] = ids.shape;
        const logits = decoder.forward({ inputIds: ids.slice([0, 0], [B, T - 1]) });
        return crossEntropyFromLogits(logits, ids.slice([0, 1], [B, T - 1])).mean() as tf.Scalar;
      }),
    [...trainable.values()],
  );
  expect(Math.abs(value.dataSync()[0]! - expected.loss)).toBeLessThan(5e-6);
  const fileNames = [...trainable.keys()].map(
    (key) => `base_model.model.${key.replace(".tuned", "")}`,
  );
  expect(fileNames.toSorted()).toEqual(Object.keys(expected.gradients).toSorted());
  for (const [i, fileName] of fileNames.entries()) {
    const { norm, first } = expected.gradients[fileName]!;
    const values = gradients[i]!.dataSync();
    expect(Math.abs(Math.hypot(...values) / norm - 1), fileName).toBeLessThan(2e-5);
    for (const [j, x] of first.entries()) {
      expect(Math.abs(values[j]! - x) / norm, `${fileName}[${j}]`).toBeLessThan(2e-5);
    }
  }
  disposeAll([value, ...gradients, decoder]);
});

test("settings are those of the files; what has no effect is told", () => {
  const settings = Object.fromEntries(
    names.map((name) => {
      const { decoder, peft } = load(name);
      decoder.dispose();
      return [name, peft];
    }),
  );
  expect(settings["llama"]).toMatchObject({
    settings: { rank: 2, alpha: 6, rankStabilized: false, baseModel: "../../models/llama" },
    unknownKeys: ["lora_dropout"],
  });
  expect(settings["llama"]?.settings.targets?.toSorted()).toEqual([
    ...["down_proj", "q_proj", "v_proj"],
  ]);
  expect(settings["llama-all"]).toMatchObject({
    settings: { rank: 3, alpha: 4, rankStabilized: true },
    unknownKeys: [],
  });
  expect(settings["gpt2"]?.unknownKeys).toEqual([]);
  expect(settings["qwen3-late"]?.settings.targets).toBeUndefined();
});
