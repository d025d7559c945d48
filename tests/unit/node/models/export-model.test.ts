import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseHuggingFaceConfig } from "../../../../src/models/index.js";
import { digits, saveBoth } from "../../../setup/models/onnx-models.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8")) as object;

test("an export has the files that transformers.js looks for", async () => {
  const { onnx } = await saveBoth(temporaryFolder());
  expect(readdirSync(onnx).sort()).toEqual([
    "config.json",
    "generation_config.json",
    "onnx",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  expect(readdirSync(join(onnx, "onnx"))).toEqual(["model.onnx"]);
  const config = readJson(join(onnx, "config.json"));
  expect(config).toMatchObject({ "transformers.js_config": { dtype: "fp32" } });
  expect(parseHuggingFaceConfig(config, "config.json").unknownKeys).toEqual([]);
  const [eos_token_id] = digits().endIds;
  expect(readJson(join(onnx, "generation_config.json"))).toMatchObject({ eos_token_id });
});

test("float16 weights go by the name that transformers.js has for them, and are its default", async () => {
  const { onnx } = await saveBoth(temporaryFolder(), { family: "gpt2" }, "float16");
  expect(readdirSync(join(onnx, "onnx"))).toEqual(["model_fp16.onnx"]);
  expect(readJson(join(onnx, "config.json"))).toMatchObject({
    "transformers.js_config": { dtype: "fp16" },
  });
});

test("a folder that has something in it is left as it is", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "onnx-export"));
  writeFileSync(join(folder, "onnx-export", "thesis.txt"), "mine");
  await expect(saveBoth(folder)).rejects.toThrow(/onnx-export: .*not empty \(thesis\.txt\)/);
  expect(readFileSync(join(folder, "onnx-export", "thesis.txt"), "utf8")).toBe("mine");
});

test("a file in the place of the folder is an error", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "onnx-export"), "mine");
  await expect(saveBoth(folder)).rejects.toThrow(/onnx-export: The output is not a folder/);
});
