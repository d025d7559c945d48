import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { loadModelFolder, saveModelFolder } from "../../../../src/node/index.js";
import { describeUnused } from "../../../../src/node/models/model-folder.js";
import { Random } from "../../../../src/tensors/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

test("what a config says in vain is said: unknown keys, end ids that no token has", async () => {
  const folder = temporaryFolder();
  const tokenizer = characterTokenizer({ alphabet: "abc" });
  const sizes = { hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 6 };
  const config = { family: "llama", vocabSize: tokenizer.vocabSize, ...sizes };
  using model = initializeDecoder(modelConfigSchema.parse(config), new Random(1));
  await saveModelFolder(folder, model, tokenizer);
  const notesWith = async (keys: object) => {
    const path = join(folder, "config.json");
    const json = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...json, ...keys }));
    const loaded = await loadModelFolder(folder);
    loaded.model.dispose();
    return describeUnused(loaded, folder);
  };
  expect(await notesWith({})).toEqual([]);
  expect(await notesWith({ whims: 3 })).toEqual([
    `Keys of ${folder}/config.json without effect: whims.`,
  ]);
  expect((await notesWith({ eos_token_id: [1, 1e9] }))[1]).toBe(
    `End ids of ${folder} that its ${tokenizer.vocabSize} tokens do not have: 1000000000. They end nothing.`,
  );
});
