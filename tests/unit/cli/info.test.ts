import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatBytes } from "../../../src/cli/format.js";
import { formatModelReport } from "../../../src/cli/info.js";
import { byteTokenizer } from "../../../src/data/index.js";
import { inspectModel, saveModelFolder } from "../../../src/node/index.js";
import { missing, sharedData } from "../../setup/shared-data.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { tinyConfigs, tinyDecoder } from "../models/tiny-models.js";

/** Where a run with one checkpoint keeps it. */
async function runFolder(name = "qwen3"): Promise<{ run: string; model: string }> {
  const run = temporaryFolder();
  const model = join(run, "checkpoints", "step-7");
  mkdirSync(join(run, "checkpoints"));
  using decoder = tinyDecoder(tinyConfigs[name]!);
  await saveModelFolder(model, decoder, byteTokenizer(), {
    dtype: "bfloat16",
    maxShardBytes: 2000,
  });
  return { run, model };
}

const linesOf = async (path: string) => formatModelReport(await inspectModel(path)).join("\n");

test("a run is its last checkpoint, with everything there is to know", async () => {
  const { run, model } = await runFolder();
  const text = await linesOf(run);
  expect(text.split("\n")[0]).toBe(model);
  for (const row of [
    /family +│ qwen3: RMS norm, also of each query/,
    /heads +│ 4 of 6, 2 for keys and values/,
    /context +│ 12 tokens/,
    /embedding +│ +49 │/,
    /norms +│ +59 │/,
    /all, trainable +│ +2,173 │/,
    /weights as stored \(BF16, 3 files\) +│ +4\.35 KB/,
    /weights in float32 +│ +8\.69 KB/,
    /AdamW state +│ +17\.4 KB/,
    /key\/value cache, 1,000 tokens +│ +192 KB/,
    /vocabulary +│ 258/,
    /chat template +│ no/,
  ]) {
    expect(text).toMatch(row);
  }
  expect(text).toContain("Every key of config.json is understood.");
});

test("scaling, tied heads, unknown keys, chat templates and missing tokenizers are said", async () => {
  const { model } = await runFolder("llama, yarn");
  writeFileSync(join(model, "chat_template.jinja"), "{{ messages }}");
  const text = await linesOf(model);
  expect(text).toMatch(/rotary scaling +│ yarn/);
  expect(text).toMatch(/chat template +│ yes/);
  const tied = await runFolder("qwen2");
  rmSync(join(tied.model, "tokenizer.json"));
  const lines = await linesOf(tied.model);
  expect(lines).toMatch(/head +│ tied to the embedding/);
  expect(lines).toMatch(/none: the folder has no tokenizer\.json/);
});

test("unknown keys are listed", async () => {
  const { model } = await runFolder();
  const report = await inspectModel(model);
  const lines = formatModelReport({ ...report, unknownKeys: ["a", "b.c"] });
  expect(lines.at(-1)).toBe("Keys of config.json without effect: a, b.c.");
});

describe("a mistake is one clear sentence", () => {
  test("a file, a folder that does not exist, one of something else", async () => {
    const { model } = await runFolder();
    const config = join(model, "config.json");
    await expect(inspectModel(config)).rejects.toThrow(/config\.json: The model folder is a file/);
    await expect(inspectModel(join(model, "no"))).rejects.toThrow(/folder does not exist/);
    await expect(inspectModel(temporaryFolder())).rejects.toThrow(
      /config\.json: The model config does not exist/,
    );
  });

  test("a run before its first checkpoint, a folder without weights, or with others", async () => {
    const { run, model } = await runFolder();
    const other = await runFolder("llama");
    writeFileSync(
      join(model, "config.json"),

      readFileSync(join(other.model, "config.json")),
    );
    await expect(inspectModel(model)).rejects.toThrow(/Unexpected tensors: .*q_norm/);
    rmSync(join(model, "model.safetensors.index.json"));
    await expect(inspectModel(model)).rejects.toThrow(/The weights file does not exist/);
    rmSync(model, { recursive: true });
    await expect(inspectModel(run)).rejects.toThrow(/The run has no checkpoint yet/);
  });
});

test("bytes have three digits and a unit", () => {
  expect([0, 17, 999, 1000, 1_234_567, 3.5e9].map(formatBytes)).toEqual([
    ...["0 B", "17 B", "999 B", "1 KB"],
    ...["1.23 MB", "3.5 GB"],
  ]);
});

test.skipIf(missing("stories260k-hf"))(
  "a real model (needs ../shared/data/stories260k-hf)",
  async () => {
    const { size, tokenizer } = await inspectModel(sharedData("stories260k-hf"));
    expect(size.numParameters).toBe(260_032);
    expect(tokenizer).toMatchObject({
      kind: "BPE",
      vocabSize: 512,
      startIds: [{ id: 1, text: "<s>" }],
      endIds: [{ id: 2, text: "</s>" }],
    });
  },
);
