/** Models with a head for whole sequences against Python `transformers`, both ways. */
import { execFile, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { characterTokenizer } from "../../src/data/index.js";
import {
  decodeSafetensors,
  headKeys,
  loadSequenceModel,
  parseHeadConfig,
  parseHuggingFaceConfig,
  type SequenceModel,
} from "../../src/models/index.js";
import { loadSequenceModelFolder, saveSequenceModelFolder } from "../../src/node/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { temporaryFolder } from "../setup/temporary-folder.js";
import { useWasmEngine } from "../setup/backends/wasm-engine.js";
import { largestDifference } from "../unit/models/tiny-models.js";

/** Written by scripts/fixtures/make-head-fixtures.py with Hugging Face transformers. */
interface Expected {
  input_ids: number[][];
  attention_mask: number[][];
  scores: number[][];
}

const fixtures = fileURLToPath(new URL("./fixtures/heads/", import.meta.url));
const names = readdirSync(fixtures);
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const tokenizer = characterTokenizer({ alphabet: "abcdefghi" });

async function load(name: string) {
  const folder = `${fixtures}${name}/`;
  const file = `${folder}config.json`;
  const { config, unknownKeys } = parseHuggingFaceConfig(json(file), file);
  expect(unknownKeys.filter((key) => !headKeys.includes(key))).toEqual([]);
  const weights = `${folder}model.safetensors`;
  const entries = decodeSafetensors(readFileSync(weights), weights);
  const reader = { entries, read: (key: string) => Promise.resolve(entries.get(key)!.data) };
  const head = parseHeadConfig(json(file), file);
  const model = await loadSequenceModel(config, head, reader, weights);
  return { model, expected: json(`${folder}expected.json`) as Expected };
}

function scoresOf(model: SequenceModel, { input_ids, attention_mask }: Expected): number[][] {
  return tf.tidy(() => {
    const inputIds = tf.tensor2d(input_ids, undefined, "int32");
    return model.forward({ inputIds, attentionMask: tf.tensor2d(attention_mask) }).arraySync();
  });
}

describe.each(["cpu", "the engine"])("on %s", (backend) => {
  beforeAll(async () => {
    if (backend !== "cpu") await useWasmEngine();
  });
  afterAll(useCpu);

  test.each(names)("%s: scores equal those of transformers, under any padding", async (name) => {
    const { model, expected } = await load(name);
    using owned = model;
    expect(largestDifference(scoresOf(owned, expected), expected.scores)).toBeLessThan(2e-5);
  });
});

test.each([
  ["llama-score", { numLabels: 1, labels: ["LABEL_0"], problemType: "regression" }],
  ["gpt2-classes", { numLabels: 3, labels: ["no", "maybe", "yes"], problemType: null }],
  ["qwen2-default", { numLabels: 2, problemType: "single_label_classification" }],
])("%s: the head is read, and saved and loaded again", async (name, head) => {
  const { model, expected } = await load(name);
  using owned = model;
  expect(owned.head).toMatchObject(head);
  const path = join(temporaryFolder(), "model");
  await saveSequenceModelFolder(path, owned, tokenizer);
  const again = await loadSequenceModelFolder(path);
  using loaded = again.model;
  expect(again.unknownKeys).toEqual([]);
  expect(loaded.head).toEqual(owned.head);
  expect(loaded.config).toEqual(owned.config);
  expect(scoresOf(loaded, expected)).toEqual(scoresOf(owned, expected));
});

const python = process.env["PUPIL_PYTHON"] ?? "python";
const script = fileURLToPath(
  new URL("../../scripts/python-checks/check-transformers-roundtrip.py", import.meta.url),
);

/** Why the test is skipped, if it is: loading torch takes long. */
function reasonToSkip(): string | undefined {
  if (process.env["PUPIL_SLOW_TESTS"] !== "1") return "needs PUPIL_SLOW_TESTS=1";
  const { status } = spawnSync(python, ["-c", "import torch, transformers"]);
  return status === 0 ? undefined : `needs ${python} with torch and transformers: set PUPIL_PYTHON`;
}
const reason = reasonToSkip();

describe.skipIf(reason)(`transformers loads what we save (${reason ?? python})`, () => {
  test("every head", { timeout: 300_000 }, async () => {
    const folder = temporaryFolder();
    for (const name of names) {
      const { model, expected } = await load(name);
      using owned = model;
      const path = join(folder, name);
      await saveSequenceModelFolder(path, owned, tokenizer);
      // Without padding on the left, which transformers has no positions for.
      const [input_ids, attention_mask] = [expected.input_ids, expected.attention_mask].map(
        (rows) => rows.slice(0, 2),
      );
      const logits = scoresOf(owned, expected).slice(0, 2);
      writeFileSync(
        join(path, "expected.json"),
        JSON.stringify({ input_ids, attention_mask, logits }),
      );
    }
    const { stdout } = await promisify(execFile)(python, [script, folder]);
    const { models } = JSON.parse(stdout) as { models: Record<string, { difference: number }> };
    expect(Object.keys(models)).toEqual(names.toSorted());
    for (const [name, result] of Object.entries(models)) {
      expect(result, name).toMatchObject({ missing_keys: [], unexpected_keys: [], warnings: [] });
      expect(result.difference, name).toBeLessThan(1e-4);
    }
  });
});
