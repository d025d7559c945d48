import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokenizerFromJson } from "../../src/data/index.js";
import {
  type Decoder,
  decodeSafetensors,
  decoderFromTensors,
  parseHuggingFaceConfig,
} from "../../src/models/index.js";
import { crossEntropyFromLogits } from "../../src/ops/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { missing, sharedData } from "../setup/data/shared-data.js";
import { useWasmEngine } from "../setup/backends/wasm-engine.js";

/** What the C program of the weights' author writes, from its own test (llama2.c, test_all.py). */
const published = `Once upon a time, there was a little girl named Lily. She loved to play outside in \
the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, \
"I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she`;

const json = (path: string) => JSON.parse(readFileSync(sharedData(path), "utf8"));

function load(folder: string): Decoder {
  const { config } = parseHuggingFaceConfig(json(`${folder}/config.json`), folder);
  const file = sharedData(`${folder}/model.safetensors`);
  return decoderFromTensors(config, decodeSafetensors(readFileSync(file), file), file);
}

beforeAll(async () => {
  await useWasmEngine();
});
afterAll(useCpu);

describe.skipIf(missing("tiny_llama_safetensors"))(
  "a bfloat16 Llama (needs ../shared/data/tiny_llama_safetensors)",
  () => {
    test("has the reference logits", () => {
      using decoder = load("tiny_llama_safetensors");
      expect(decoder.numParameters).toBe(795_776);
      const reference = json("tiny_llama_safetensors/reference.json") as Record<string, unknown>;
      const [, ids] = Object.entries(reference).find(([key]) => key.startsWith("token_ids"))!;
      const logits = tf.tidy(() => {
        const inputIds = tf.tensor2d([ids as number[]], undefined, "int32");
        return decoder.forward({ inputIds }).dataSync();
      });
      const expected = (reference.logits as number[][]).flat();
      // The reference is rounded to six decimals.
      const errors = expected.map((x, i) => Math.abs(x - logits[i]!));
      expect(Math.max(...errors)).toBeLessThan(5e-6);
    });
  },
);

describe.skipIf(missing("stories260k-hf") || missing("stories260k"))(
  "a trained Llama (needs ../shared/data/stories260k-hf and stories260k)",
  () => {
    const startId = 1;
    const tokenizer = () =>
      tokenizerFromJson(json("stories260k-hf/tokenizer.json"), "tokenizer.json", {
        endIds: [1, 2],
      });

    test("has the known loss on five stories", async () => {
      using decoder = load("stories260k-hf");
      expect(decoder.numParameters).toBe(260_032);
      const { encode } = await tokenizer();
      const text = readFileSync(sharedData("stories260k/tinystories_sample.txt"), "utf8");
      const stories = text.split("<|endoftext|>").filter((story) => story.trim() !== "");
      let sum = 0;
      let count = 0;
      for (const story of stories) {
        const ids = [startId, ...encode(story.trim())].slice(0, 512);
        sum += tf.tidy(() => {
          const inputIds = tf.tensor2d([ids.slice(0, -1)], undefined, "int32");
          const labels = tf.tensor2d([ids.slice(1)], undefined, "int32");
          const logits = decoder.forward({ inputIds });
          return crossEntropyFromLogits(logits, labels).sum().dataSync()[0]!;
        });
        count += ids.length - 1;
      }
      expect(count).toBe(1804);
      expect(Math.abs(sum / count - 1.26644103)).toBeLessThan(1e-5);
    });

    test("writes the published 200 steps from nothing, greedily", async () => {
      using decoder = load("stories260k-hf");
      using cache = decoder.createCache(200);
      const { decode } = await tokenizer();
      const ids = [startId];
      while (ids.length <= 200) {
        const next = tf.tidy(() => {
          const inputIds = tf.tensor2d([ids.slice(-1)], undefined, "int32");
          return decoder.forward({ inputIds }, cache).argMax(-1).dataSync()[0]!;
        });
        ids.push(next);
      }
      expect(decode(ids.slice(1)).trim()).toBe(published);
    });
  },
);
