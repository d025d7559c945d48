import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { readModelInfo, saveModelFolder } from "../../../../src/node/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

async function saved(options: object): Promise<{ path: string; parameters: number }> {
  const tokenizer = characterTokenizer({ alphabet: "abc" });
  const shape = { vocabSize: 5, hiddenSize: 8, numLayers: 2, numHeads: 4, maxPositions: 16 };
  const config = modelConfigSchema.parse({ ...shape, ...options });
  using model = initializeDecoder(config, new Random(1));
  const path = join(temporaryFolder(), "model");
  await saveModelFolder(path, model, tokenizer, { dtype: "bfloat16", maxShardBytes: 500 });
  return { path, parameters: model.numParameters };
}

describe("what there is to know about a model folder", () => {
  test.each([
    { family: "llama", numKeyValueHeads: 2 },
    { family: "llama", tieWordEmbeddings: true },
    { family: "gpt2" },
    { family: "qwen3", headDim: 6 },
  ])("counts every parameter of $family once", async (options) => {
    const { path, parameters } = await saved(options);
    const info = await readModelInfo(path);
    expect(info.parameters).toBe(parameters);
    expect(info.groups.head === 0).toBe(info.config.tieWordEmbeddings);
    expect(info.weights).toMatchObject({ dtypes: ["BF16"], bytes: 2 * parameters });
    expect(info.weights.files).toBeGreaterThan(1);
    expect(info.memory).toMatchObject({ weights: 4 * parameters, optimizer: 8 * parameters });
    const { numKeyValueHeads, headDim } = info.config;
    expect(info.memory.cachePerToken).toBe(2 * 4 * 2 * numKeyValueHeads * headDim);
    expect(info.tokenizer).toMatchObject({ type: "WordLevel", vocabSize: 5, endIds: [4] });
  });

  test("a config of other weights is told by the names of tensors", async () => {
    const [{ path }, other] = [await saved({ family: "qwen3" }), await saved({ family: "llama" })];
    writeFileSync(join(path, "config.json"), readFileSync(join(other.path, "config.json")));
    await expect(readModelInfo(path)).rejects.toThrow(/Unexpected tensors: .*q_norm/);
  });

  test("the context of a dynamic scaling is its factor times as long", async () => {
    const ropeScaling = { type: "dynamic", factor: 4 };
    const { path } = await saved({ family: "llama", headDim: 4, ropeScaling });
    expect(await readModelInfo(path)).toMatchObject({ contextLength: 64 });
  });

  test("a run folder stands for its last checkpoint, if it has one", async () => {
    const run = temporaryFolder();
    mkdirSync(join(run, "checkpoints"));
    await expect(readModelInfo(run)).rejects.toThrow(/The run has no checkpoint yet/);
  });

  test("is told without a tokenizer, not without weights", async () => {
    const { path } = await saved({ family: "llama" });
    rmSync(join(path, "tokenizer.json"));
    const { tokenizer } = await readModelInfo(path);
    expect(tokenizer).toMatchObject({ problem: expect.stringContaining("no tokenizer") as string });
    rmSync(join(path, "model.safetensors.index.json"));
    await expect(readModelInfo(path)).rejects.toThrow(/weights file does not exist/);
    await expect(readModelInfo(join(path, "nothing"))).rejects.toThrow(/does not exist/);
    await expect(readModelInfo(join(path, "config.json"))).rejects.toThrow(/is a file/);
  });
});
