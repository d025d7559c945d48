import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { loadModel, zipFolder, zipModel } from "../../../src/browser/index.js";
import { type FolderFiles, modelFiles } from "../../../src/folders/index.js";
import { addAdapter, setActiveAdapter } from "../../../src/models/index.js";
import { Random } from "../../../src/tensors/index.js";
import { logitsOf } from "../models/tiny-models.js";
import { rows, smallModel, tokenizer } from "./model-on-hand.js";

async function zippedFolders(): Promise<{
  base: FolderFiles;
  adapter: FolderFiles;
  logits: unknown;
}> {
  using model = smallModel();
  const base = await zipFolder(await zipModel(model, tokenizer, { folder: "base" }));
  const random = new Random(3);
  const targets = ["q_proj", "down_proj"];
  const added = addAdapter(model, "default", {
    ...{ rank: 2, alpha: 6, targets, random, baseModel: "the-base" },
  });
  for (const [key, parameter] of added.parameters) {
    const noise = random.stream(key);
    const values = Float32Array.from({ length: parameter.size }, () => 0.4 * noise.normal());
    tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
  }
  setActiveAdapter(model, "default");
  const adapter = await zipFolder(await zipModel(model, tokenizer, { folder: "adapter" }));
  return { base, adapter, logits: logitsOf(model, rows) };
}

test("an adapter's folder is loaded with that of its base model", async () => {
  const { base, adapter, logits } = await zippedFolders();
  const { model } = await loadModel(adapter, { base });
  using loaded = model;
  expect(logitsOf(loaded, rows)).toEqual(logits);
  using plain = (await loadModel(base)).model;
  expect(logitsOf(plain, rows)).not.toEqual(logits);
});

test("without it, it is asked for by the name that the adapter has for it", async () => {
  const { adapter } = await zippedFolders();
  await expect(loadModel(adapter)).rejects.toThrow(
    'The folder holds an adapter of "the-base", not a whole model. Give the folder of its base',
  );
});

test("a model of a folder holds no more than its parameters", async () => {
  using model = smallModel();
  expect([...(await modelFiles(model, tokenizer)).keys()]).toEqual([
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
});
