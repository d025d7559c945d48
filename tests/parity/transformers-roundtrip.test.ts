/** Folders saved by us, loaded by Python `transformers`. */
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../src/data/index.js";
import { type ModelConfig, modelConfigSchema } from "../../src/models/index.js";
import { loadModelFolder, type SaveModelOptions, saveModelFolder } from "../../src/node/index.js";
import { temporaryFolder } from "../setup/temporary-folder.js";
import { logitsOf, tinyConfigs, tinyDecoder, windowedQwens } from "../unit/models/tiny-models.js";

interface Loaded {
  readonly difference: number;
  readonly missing_keys: readonly string[];
  readonly unexpected_keys: readonly string[];
  readonly mismatched_keys: readonly string[];
  readonly warnings: readonly string[];
}

const python = process.env["PUPIL_PYTHON"] ?? "python";
const script = fileURLToPath(
  new URL("../../scripts/python-checks/check-transformers-roundtrip.py", import.meta.url),
);

/** Why the tests are skipped, if they are: loading torch takes long. */
function reasonToSkip(): string | undefined {
  if (process.env["PUPIL_SLOW_TESTS"] !== "1") return "needs PUPIL_SLOW_TESTS=1";
  const { status } = spawnSync(python, ["-c", "import torch, transformers"]);
  return status === 0 ? undefined : `needs ${python} with torch and transformers: set PUPIL_PYTHON`;
}

const rope = { family: "llama", vocabSize: 7, hiddenSize: 16, numLayers: 2, numHeads: 2 };
const scaled = (ropeScaling: object, maxPositions = 12) =>
  modelConfigSchema.parse({ ...rope, maxPositions, initializerRange: 0.5, ropeScaling });
const factors = { shortFactor: [1, 1.1, 1.2, 1.3], longFactor: [1, 2, 3, 4] };
const configs: Readonly<Record<string, ModelConfig>> = {
  ...tinyConfigs,
  ...windowedQwens,
  "llama, linear": scaled({ type: "linear", factor: 2 }),
  "llama, dynamic": scaled({ type: "dynamic", factor: 3 }, 4),
  "llama, longrope": scaled({
    ...{ type: "longrope", factor: 3, originalMaxPositions: 4 },
    ...factors,
  }),
  "llama, yarn with mscale": scaled({
    ...{ type: "yarn", factor: 3, originalMaxPositions: 4, betaFast: 0.4, betaSlow: 0.05 },
    ...{ mscale: 0.7, mscaleAllDim: 0.4, truncate: false },
  }),
  "qwen2, wide heads": { ...(tinyConfigs["qwen2"] as ModelConfig), headDim: 6 },
};
const rows = [
  [3, 1, 4, 1, 5, 6, 2, 0],
  [2, 6, 5, 3, 5, 0, 1, 1],
];

const saved: Readonly<Record<string, SaveModelOptions>> = {
  "": {},
  ", in several files": { maxShardBytes: 1000 },
  ", float16": { dtype: "float16" },
  ", bfloat16": { dtype: "bfloat16" },
};
async function loadInPython(): Promise<Record<string, Loaded>> {
  const folder = temporaryFolder();
  const tokenizer = characterTokenizer({ alphabet: "abcdef" });
  for (const [name, config] of Object.entries(configs)) {
    using decoder = tinyDecoder(config);
    for (const [suffix, options] of Object.entries(saved)) {
      const path = join(folder, name + suffix);
      mkdirSync(path);
      await saveModelFolder(path, decoder, tokenizer, options);
      // What is rounded in the file is rounded for both.
      const { model } = await loadModelFolder(path);
      using read = model;
      const logits = logitsOf(read, rows);
      writeFileSync(join(path, "expected.json"), JSON.stringify({ input_ids: rows, logits }));
    }
  }
  const { stdout } = await promisify(execFile)(python, [script, folder]);
  return (JSON.parse(stdout) as { models: Record<string, Loaded> }).models;
}

const reason = reasonToSkip();

describe.skipIf(reason)(`Python transformers loads what we save (${reason ?? python})`, () => {
  test("every family, one file or several, any precision", { timeout: 300_000 }, async () => {
    const loaded = await loadInPython();
    expect(Object.keys(loaded)).toHaveLength(
      Object.keys(configs).length * Object.keys(saved).length,
    );
    for (const [name, { difference, ...result }] of Object.entries(loaded)) {
      expect(result, name).toMatchObject({
        missing_keys: [],
        unexpected_keys: [],
        mismatched_keys: [],
        warnings: [],
      });
      expect(difference, name).toBeLessThan(1e-4);
    }
  });
});
