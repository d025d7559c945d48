import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import {
  addAdapter,
  type Decoder,
  decodeSafetensors,
  encodeSafetensors,
  mergeAdapter,
  type ModelConfig,
  setActiveAdapter,
  type TensorValues,
} from "../../../../src/models/index.js";
import {
  loadAdapter,
  loadModelFolder,
  mergeModelFolder,
  readModelInfo,
  saveAdapter,
  saveModelFolder,
} from "../../../../src/node/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { largestDifference, logitsOf, tinyConfigs, tinyDecoder } from "../../models/tiny-models.js";

const tokenizer = characterTokenizer({ alphabet: "abcdef" });
const rows = [[3, 1, 4, 1, 5]];
const llama = tinyConfigs["llama"] as ModelConfig;
const random = new Random(3);

/** Gives a decoder an adapter that does something. */
function adapt(decoder: Decoder, name: string, baseModel?: string): void {
  const targets = decoder.config.family === "gpt2" ? ["c_attn", "c_fc"] : ["q_proj", "down_proj"];
  const adapter = addAdapter(decoder, name, { rank: 2, alpha: 6, targets, random, baseModel });
  for (const [key, parameter] of adapter.parameters) {
    const noise = random.stream(key);
    const values = Float32Array.from({ length: parameter.size }, () => 0.4 * noise.normal());
    tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
  }
  setActiveAdapter(decoder, name);
}

/** Folders of a base model and of an adapter on it, and the logits of both together. */
async function saved(config = llama, baseModel?: string) {
  const folder = temporaryFolder();
  const [base, path] = [join(folder, "base"), join(folder, "adapter")];
  using decoder = tinyDecoder(config);
  await saveModelFolder(base, decoder, tokenizer);
  adapt(decoder, "tuned", baseModel ?? base);
  await saveModelFolder(path, decoder, tokenizer);
  return { folder, base, path, logits: logitsOf(decoder, rows) };
}

async function messageOf(act: () => Promise<unknown>): Promise<string> {
  const before = tf.memory().numTensors;
  try {
    await act();
  } catch (error) {
    expect((error as Error).name).toBe("PupilError");
    expect(tf.memory().numTensors).toBe(before);
    return (error as Error).message;
  }
  throw new Error("It was accepted.");
}

function editConfig(path: string, change: object): void {
  const file = join(path, "adapter_config.json");
  const json = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...json, ...change }));
}

function editWeights(
  path: string,
  change: (tensors: Map<string, TensorValues>) => Map<string, TensorValues>,
): void {
  const file = join(path, "adapter_model.safetensors");
  const tensors = decodeSafetensors(readFileSync(file), file);
  writeFileSync(file, encodeSafetensors(change(new Map(tensors)), { dtype: "float32" }));
}

test.each(["llama", "gpt2", "qwen3"])(
  "%s: a folder with an adapter is base and adapter, bit for bit",
  async (family) => {
    const { path, logits } = await saved(tinyConfigs[family] as ModelConfig);
    const loaded = await loadModelFolder(path);
    using model = loaded.model;
    expect(model.adapters.active?.settings).toMatchObject({ rank: 2, alpha: 6 });
    expect(loaded.tokenizer.fingerprint).toBe(tokenizer.fingerprint);
    expect(loaded.unknownKeys).toEqual([]);
    expect(logitsOf(model, rows)).toEqual(logits);
    const json = JSON.parse(readFileSync(join(path, "adapter_config.json"), "utf8")) as object;
    const fused = family === "gpt2";
    expect(json).toMatchObject({ peft_type: "LORA", bias: "none", fan_in_fan_out: fused });
  },
);

test("the base model is looked for beside the adapter too; the tokenizer may be the base's", async () => {
  const { path, logits } = await saved(llama, "../base");
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) rmSync(join(path, file));
  const loaded = await loadModelFolder(path);
  using model = loaded.model;
  expect(logitsOf(model, rows)).toEqual(logits);
  expect(loaded.tokenizer.fingerprint).toBe(tokenizer.fingerprint);
});

test("several adapters of one model are saved, and loaded onto one model", async () => {
  const { folder, base, path, logits } = await saved();
  const { model } = await loadModelFolder(path);
  using decoder = model;
  adapt(decoder, "second", base);
  await saveAdapter(join(folder, "second"), decoder, "second", tokenizer);
  const second = logitsOf(decoder, rows);
  using again = (await loadModelFolder(base)).model;
  await loadAdapter(again, path, "a");
  await loadAdapter(again, join(folder, "second"), "b");
  expect(again.adapters.names).toEqual(["a", "b"]);
  setActiveAdapter(again, "b");
  expect(logitsOf(again, rows)).toEqual(second);
  setActiveAdapter(again, "a");
  expect(logitsOf(again, rows)).toEqual(logits);
});

test("merged, it is a plain folder with the same logits", async () => {
  const { folder, path, logits } = await saved();
  const output = join(folder, "merged");
  await mergeModelFolder(path, output);
  using model = (await loadModelFolder(output)).model;
  expect(model.adapters.names).toEqual([]);
  expect(largestDifference(logitsOf(model, rows), logits)).toBeLessThan(3e-5);
  expect(await messageOf(() => mergeModelFolder(path, output))).toMatch(/is not empty/);
  expect(await messageOf(() => mergeModelFolder(output, join(folder, "again")))).toMatch(
    /a whole model and no adapter/,
  );
  // A model that is merged in memory is saved as a plain folder too.
  using decoder = (await loadModelFolder(path)).model;
  mergeAdapter(decoder, "default");
  await saveModelFolder(join(folder, "third"), decoder, tokenizer);
  using third = (await loadModelFolder(join(folder, "third"))).model;
  expect(logitsOf(third, rows)).toEqual(logitsOf(model, rows));
});

test("info tells what is trained, and of which model", async () => {
  const { base, path } = await saved();
  const info = await readModelInfo(path);
  const { numLayers, hiddenSize, intermediateSize } = llama;
  const parameters = numLayers * 2 * (2 * hiddenSize + hiddenSize + intermediateSize);
  expect(info.adapter).toMatchObject({ base, parameters, settings: { rank: 2 } });
  expect(info.memory.optimizer).toBe(8 * parameters);
  expect(info.parameters).toBe((await readModelInfo(base)).parameters);
});

describe("a folder that cannot be used is a clear error", () => {
  const cases: [string, object, RegExp][] = [
    ["DoRA", { use_dora: true }, /adapter_config\.json: use_dora: true is not supported/],
    [
      "saved modules",
      { modules_to_save: ["lm_head", "embed_tokens"] },
      /modules_to_save: The adapter holds lm_head, embed_tokens as trained whole, .*merge_and_unload/,
    ],
    [
      "the head as target",
      { target_modules: ["q_proj", "down_proj", "lm_head"] },
      /has LoRA matrices on lm_head; only the projections of the blocks.*merge_and_unload/,
    ],
    [
      "the embedding as target",
      { target_modules: ["q_proj", "down_proj", "model.embed_tokens"] },
      /has LoRA matrices on model\.embed_tokens; only/,
    ],
    [
      "a scale too large for float32",
      { lora_alpha: 1e39 },
      /lora_alpha: 1e\+39 is no scale above 0/,
    ],
    ["a scale too small for float32", { lora_alpha: 1e-50 }, /lora_alpha: 1e-50 is no scale/],
    ["ranks by layer", { rank_pattern: { q_proj: 4 } }, /rank_pattern: .* is not supported/],
    ["biases", { bias: "all" }, /bias: "all" is not supported\. Allowed: "none"/],
    ["an init that changes the base", { init_lora_weights: "pissa" }, /init_lora_weights: "pissa"/],
    ["another kind", { peft_type: "IA3" }, /peft_type: "IA3" is not supported.*LORA/],
    ["no rank", { r: 0 }, /adapter_config\.json: r: 0 is no rank/],
    [
      "another rank",
      { r: 3 },
      /does not fit the base model: .*lora_A\.weight \[2, 8\], expected \[3, 8\]/,
    ],
    [
      "no base",
      { base_model_name_or_path: null },
      /base_model_name_or_path: The adapter names no base model\. Write the folder/,
    ],
    [
      "a base that is not there",
      { base_model_name_or_path: "org/model" },
      /There is no model folder "org\/model"\. Looked at org\/model and .*must be downloaded/,
    ],
    [
      "targets that it has no weights for",
      { target_modules: ["q_proj", "down_proj", "v_proj"] },
      /Missing tensors: base_model\.model\.model\.layers\.0\.self_attn\.v_proj\.lora_A\.weight/,
    ],
    [
      "weights that are no targets",
      { target_modules: ["q_proj"] },
      /No target_modules: model\.layers\.0\.mlp\.down_proj/,
    ],
    ["a target that is not there", { target_modules: ["q_proj", "w1"] }, /no projection "w1"/],
  ];
  test.each(cases)("%s", async (_name, change, message) => {
    const { path } = await saved();
    editConfig(path, change);
    expect(await messageOf(() => loadModelFolder(path))).toMatch(message);
  });

  test("a key that nobody knows is told, and so is dropout", async () => {
    const { path } = await saved();
    editConfig(path, { lora_dropout: 0.1, use_new_thing: true, other: [] });
    const { model, unknownKeys } = await loadModelFolder(path);
    model.dispose();
    expect(unknownKeys).toEqual([
      "lora_dropout (adapter_config.json)",
      "use_new_thing (adapter_config.json)",
    ]);
  });

  test("an adapter for another model", async () => {
    const { path } = await saved();
    const wider = await saved({ ...llama, hiddenSize: 16 });
    editConfig(path, { base_model_name_or_path: wider.base });
    expect(await messageOf(() => loadModelFolder(path))).toMatch(
      /does not fit the base model: .*expected .*Use the base model that the adapter was made for/,
    );
    const other = await saved(tinyConfigs["gpt2"]);
    editConfig(path, { base_model_name_or_path: other.base });
    expect(await messageOf(() => loadModelFolder(path))).toMatch(
      /no place for: base_model\.model\.model\.layers\.0.*c_attn, c_proj, c_fc in 2 layers/,
    );
  });

  test("a missing or an unknown tensor, and no weights at all", async () => {
    const { path } = await saved();
    editWeights(path, (tensors) => {
      tensors.delete("base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight");
      return tensors;
    });
    expect(await messageOf(() => loadModelFolder(path))).toMatch(
      /Missing tensors: base_model\.model\.model\.layers\.1\.self_attn\.q_proj\.lora_B\.weight/,
    );
    editWeights(path, (tensors) =>
      tensors.set("base_model.model.score.weight", { shape: [1], data: Float32Array.of(1) }),
    );
    expect(await messageOf(() => loadModelFolder(path))).toMatch(/no place for: .*score\.weight/);
    rmSync(join(path, "adapter_model.safetensors"));
    expect(await messageOf(() => loadModelFolder(path))).toMatch(/weights file does not exist/);
    writeFileSync(join(path, "adapter_model.bin"), "");
    expect(await messageOf(() => loadModelFolder(path))).toMatch(/adapter_model\.bin: .*Python/);
  });

  test("an infinite scale, which JSON can write", async () => {
    const { path } = await saved();
    const file = join(path, "adapter_config.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/"lora_alpha": \d+/, '"lora_alpha": 1e400'));
    expect(await messageOf(() => loadModelFolder(path))).toMatch(
      /lora_alpha: "Infinity" is no scale/,
    );
  });

  test.each([
    [
      "model.embed_tokens.weight",
      /holds a copy of model\.embed_tokens of its own \(modules_to_save/,
    ],
    ["lm_head.weight", /holds a copy of lm_head of its own/],
    ["lm_head.lora_A.weight", /has LoRA matrices on lm_head/],
    ["model.embed_tokens.lora_embedding_A", /has LoRA matrices on model\.embed_tokens/],
  ])("%s among the weights", async (name, message) => {
    const { path } = await saved();
    editWeights(path, (tensors) =>
      tensors.set(`base_model.model.${name}`, { shape: [1], data: Float32Array.of(1) }),
    );
    expect(await messageOf(() => loadModelFolder(path))).toMatch(message);
  });

  test("an adapter on an adapter, and one without the name of its base", async () => {
    const { path } = await saved();
    const upper = await saved(llama, path);
    expect(await messageOf(() => loadModelFolder(upper.path))).toMatch(
      /is an adapter itself\. .*pupil merge/,
    );
    using decoder = tinyDecoder(llama);
    adapt(decoder, "nameless");
    const folder = join(temporaryFolder(), "x");
    expect(await messageOf(() => saveModelFolder(folder, decoder, tokenizer))).toMatch(
      /"nameless" cannot be saved without the name of its base model/,
    );
  });
});
