import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import {
  decodeSafetensors,
  decoderFromTensors,
  decoderToTensors,
  encodeSafetensors,
  type ModelConfig,
  type TensorValues,
} from "../../../../src/models/index.js";
import { logitsOf, tinyConfigs, tinyDecoder } from "../tiny-models.js";

const { llama, gpt2 } = tinyConfigs as Record<"llama" | "gpt2", ModelConfig>;
const rows = [[3, 1, 4, 1, 5]];

async function tensorsOf(config: ModelConfig): Promise<Map<string, TensorValues>> {
  using decoder = tinyDecoder(config);
  return await decoderToTensors(decoder);
}

function errorOf(config: ModelConfig, tensors: Map<string, TensorValues>): PupilError {
  const before = tf.memory().numTensors;
  try {
    decoderFromTensors(config, tensors, "folder/model.safetensors").dispose();
  } catch (error) {
    expect(tf.memory().numTensors).toBe(before);
    if (error instanceof PupilError) return error;
    throw error;
  }
  throw new Error("No error.");
}

test.each(Object.entries(tinyConfigs))(
  "%s: a saved model is the same model",
  async (_n, config) => {
    using decoder = tinyDecoder(config);
    const tensors = await decoderToTensors(decoder);
    expect([...tensors.keys()]).toEqual([...decoder.parameters.keys()]);
    const bytes = encodeSafetensors(tensors, { dtype: "float32" });
    // The order of a file has no meaning.
    const read = new Map([...decodeSafetensors(bytes, "file")].toReversed());
    using loaded = decoderFromTensors(config, read, "file");
    expect([...loaded.parameters.keys()]).toEqual([...decoder.parameters.keys()]);
    expect(logitsOf(loaded, rows)).toEqual(logitsOf(decoder, rows));
  },
);

test("what is read from a model is a copy, and what a model is made from stays the caller's", async () => {
  using decoder = tinyDecoder(llama);
  const before = logitsOf(decoder, rows);
  const tensors = await decoderToTensors(decoder);
  for (const { data } of tensors.values()) data.fill(7);
  expect(logitsOf(decoder, rows)).toEqual(before);
});

test("reading sees the weights of one moment", async () => {
  using decoder = tinyDecoder(gpt2);
  const now = [...decoder.parameters.values()].map((variable) => variable.dataSync()[0]);
  const reading = decoderToTensors(decoder);
  for (const variable of decoder.parameters.values()) {
    tf.tidy(() => variable.assign(tf.zerosLike(variable)));
  }
  const read = [...(await reading).values()].map(({ data }) => data[0]);
  expect(read).toEqual(now);
});

describe("names", () => {
  test("missing and unexpected tensors are both listed", async () => {
    const tensors = await tensorsOf(llama);
    tensors.delete("model.norm.weight");
    tensors.set("model.layers.2.mlp.up_proj.weight", { shape: [1], data: new Float32Array(1) });
    const { message, field } = errorOf(llama, tensors);
    expect(field).toBe("folder/model.safetensors");
    expect(message).toContain("Missing tensors: model.norm.weight.");
    expect(message).toContain("Unexpected tensors: model.layers.2.mlp.up_proj.weight.");
    expect(message).toContain("llama model of 2 layers");
  });

  test("a long list is cut, with its length", () => {
    const { message } = errorOf(llama, new Map());
    expect(message).toMatch(/Missing tensors: model\.embed_tokens\.weight, .* and \d+ more\./);
  });

  test("the prefix of the base model may be missing, constant buffers are skipped", async () => {
    const tensors = await tensorsOf(gpt2);
    const buffer = { shape: [1], data: new Float32Array(1) };
    const bare = new Map([...tensors].map(([name, t]) => [name.replace("transformer.", ""), t]));
    bare.set("h.0.attn.bias", buffer).set("h.1.attn.masked_bias", buffer);
    using decoder = tinyDecoder(gpt2);
    using loaded = decoderFromTensors(gpt2, bare, "file");
    expect(logitsOf(loaded, rows)).toEqual(logitsOf(decoder, rows));

    const llamaTensors = await tensorsOf(llama);
    llamaTensors.set("model.layers.0.self_attn.rotary_emb.inv_freq", buffer);
    decoderFromTensors(llama, llamaTensors, "file").dispose();
  });
});

test("wrong shapes are named with both shapes", async () => {
  const tensors = await tensorsOf(llama);
  const name = "model.layers.1.self_attn.k_proj.weight";
  tensors.set(name, { shape: [8, 8], data: new Float32Array(64) });
  expect(errorOf(llama, tensors).message).toContain(`${name} [8, 8], expected [4, 8]`);
});

describe("the head", () => {
  test("of an untied model must be there", async () => {
    const tensors = await tensorsOf(llama);
    tensors.delete("lm_head.weight");
    expect(errorOf(llama, tensors).message).toContain("Missing tensors: lm_head.weight.");
  });

  test("of a tied model may repeat the embedding, but not differ from it", async () => {
    const tensors = await tensorsOf(gpt2);
    const { shape, data } = tensors.get("transformer.wte.weight") as TensorValues;
    tensors.set("lm_head.weight", { shape, data: data.slice() });
    decoderFromTensors(gpt2, tensors, "file").dispose();
    tensors.set("lm_head.weight", { shape, data: data.map((x, i) => (i === 9 ? x + 1 : x)) });
    const { message } = errorOf(gpt2, tensors);
    expect(message).toMatch(/lm_head\.weight differs from transformer\.wte\.weight/);
    expect(message).toMatch(/tie_word_embeddings to false/);
  });
});
