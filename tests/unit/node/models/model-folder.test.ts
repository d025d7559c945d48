import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import type { ModelConfig } from "../../../../src/models/index.js";
import { loadModelFolder, saveModelFolder } from "../../../../src/node/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { logitsOf, tinyConfigs, tinyDecoder } from "../../models/tiny-models.js";

const tokenizer = characterTokenizer({ alphabet: "abcdef" });
const rows = [[3, 1, 4, 1, 5]];
const index = "model.safetensors.index.json";

/** A folder with a tiny model in several files. */
async function sharded(): Promise<string> {
  const path = join(temporaryFolder(), "model");
  using decoder = tinyDecoder(tinyConfigs["qwen3"] as ModelConfig);
  await saveModelFolder(path, decoder, tokenizer, { maxShardBytes: 4000 });
  return path;
}

async function messageOf(path: string): Promise<string> {
  const before = tf.memory().numTensors;
  try {
    (await loadModelFolder(path)).model.dispose();
  } catch (error) {
    expect((error as Error).name).toBe("PupilError");
    expect(tf.memory().numTensors).toBe(before);
    return (error as Error).message;
  }
  throw new Error("The folder was accepted.");
}

function edit(path: string, change: (json: Record<string, never>) => void): void {
  const json = JSON.parse(readFileSync(path, "utf8")) as Record<string, never>;
  change(json);
  writeFileSync(path, JSON.stringify(json));
}

test.each(Object.keys(tinyConfigs))(
  "%s is the same model from one file or several",
  async (name) => {
    using decoder = tinyDecoder(tinyConfigs[name] as ModelConfig);
    const expected = logitsOf(decoder, rows);
    for (const maxShardBytes of [1e9, 700]) {
      const path = join(temporaryFolder(), "model");
      await saveModelFolder(path, decoder, tokenizer, { maxShardBytes });
      const shards = readdirSync(path).filter((file) => /^model-.*safetensors$/.test(file));
      expect(shards.length > 1).toBe(maxShardBytes === 700);
      const { model, unknownKeys } = await loadModelFolder(path);
      using loaded = model;
      expect(unknownKeys).toEqual([]);
      expect(loaded.config).toEqual(decoder.config);
      expect(logitsOf(loaded, rows)).toEqual(expected);
    }
  },
);

test.each([
  ["float16", 11],
  ["bfloat16", 8],
] as const)("%s weights are read back to %i bits", async (dtype, bits) => {
  const path = join(temporaryFolder(), "model");
  using decoder = tinyDecoder(tinyConfigs["qwen2"] as ModelConfig);
  await saveModelFolder(path, decoder, tokenizer, { dtype });
  const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as object;
  expect(config).toMatchObject({ torch_dtype: dtype });
  const { model } = await loadModelFolder(path);
  using loaded = model;
  for (const [name, variable] of decoder.parameters) {
    const read = loaded.parameters.get(name)!.dataSync();
    for (const [i, value] of variable.dataSync().entries()) {
      expect(Math.abs(read[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -bits);
    }
  }
});

describe("a broken set of files is named", () => {
  test("a missing one", async () => {
    const path = await sharded();
    rmSync(join(path, "model-00002-of-00003.safetensors"));
    expect(await messageOf(path)).toMatch(
      /model-00002-of-00003\.safetensors: The shard that model\.safetensors\.index\.json names does not/,
    );
  });

  test("a tensor that its file lacks", async () => {
    const path = await sharded();
    edit(join(path, index), ({ weight_map: map }) => {
      (map as unknown as Record<string, string>)["model.norm.weight"] =
        "model-00001-of-00003.safetensors";
    });
    expect(await messageOf(path)).toMatch(
      /"model\.norm\.weight": The index says that it is in model-00001.*lacks it. It is in model-00003/,
    );
  });

  test("a tensor that the index does not name", async () => {
    const path = await sharded();
    edit(join(path, index), ({ weight_map: map }) => {
      delete (map as unknown as Record<string, string>)["model.norm.weight"];
    });
    expect(await messageOf(path)).toMatch(/"model\.norm\.weight": It is in .*does not name it/);
  });

  test("a tensor in two files", async () => {
    const path = await sharded();
    const [first, second] = [1, 2].map((i) => join(path, `model-0000${i}-of-00003.safetensors`));
    writeFileSync(second!, readFileSync(first!));
    expect(await messageOf(path)).toMatch(
      /It is in model-00001-of-00003.*and again in model-00002/,
    );
  });

  test("one that was cut", async () => {
    const path = await sharded();
    const file = join(path, "model-00003-of-00003.safetensors");
    for (const size of [40, 5]) {
      truncateSync(file, size);
      expect(await messageOf(path)).toMatch(
        /model-00003-of-00003\.safetensors: .*damaged|at least/,
      );
    }
  });

  test("weights of another format", async () => {
    const path = await sharded();
    rmSync(join(path, index));
    renameSync(join(path, "model-00001-of-00003.safetensors"), join(path, "pytorch_model.bin"));
    expect(await messageOf(path)).toMatch(
      /model\.safetensors: The weights file does not exist.*pytorch_model\.bin is of another format/,
    );
  });
});

describe("end ids", () => {
  const load = async (path: string) => {
    const { model, tokenizer: loaded } = await loadModelFolder(path);
    using decoder = model;
    return { model: decoder.config.eosTokenIds, tokenizer: loaded.endIds };
  };

  test("of generation_config.json are taken where they are more", async () => {
    const path = await sharded();
    const generation = join(path, "generation_config.json");
    const own = tokenizer.endIds;
    expect(await load(path)).toEqual({ model: [], tokenizer: own });
    writeFileSync(generation, JSON.stringify({ eos_token_id: [2, 5] }));
    expect(await load(path)).toEqual({ model: [2, 5], tokenizer: [2, 5] });
    edit(join(path, "config.json"), (config) => {
      Object.assign(config, { eos_token_id: [1, 2, 3] });
    });
    expect(await load(path)).toEqual({ model: [1, 2, 3], tokenizer: [1, 2, 3] });
    writeFileSync(generation, JSON.stringify({ temperature: 1 }));
    edit(join(path, "config.json"), (config) => Object.assign(config, { eos_token_id: null }));
    expect(await load(path)).toEqual({ model: [], tokenizer: own });
  });

  test("that are none are an error", async () => {
    const path = await sharded();
    writeFileSync(join(path, "generation_config.json"), JSON.stringify({ eos_token_id: "</s>" }));
    expect(await messageOf(path)).toMatch(
      /generation_config\.json: eos_token_id: "<\/s>" is no id and no list of ids/,
    );
  });
});
