/** Adapters saved by us, loaded by PEFT. */
import { execFile, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../src/data/index.js";
import { addAdapter, setActiveAdapter } from "../../src/models/index.js";
import { saveModelFolder } from "../../src/node/index.js";
import { Random } from "../../src/tensors/index.js";
import { temporaryFolder } from "../setup/temporary-folder.js";
import { logitsOf, tinyConfigs, tinyDecoder } from "../unit/models/tiny-models.js";

interface Loaded {
  readonly difference: number;
  readonly merged: number;
  readonly warnings: readonly string[];
}

const python = process.env["PUPIL_PYTHON"] ?? "python";
const script = fileURLToPath(
  new URL("../../scripts/python-checks/check-peft-roundtrip.py", import.meta.url),
);

/** Why the test is skipped, if it is: loading torch takes long. */
function reasonToSkip(): string | undefined {
  if (process.env["PUPIL_SLOW_TESTS"] !== "1") return "needs PUPIL_SLOW_TESTS=1";
  const { status } = spawnSync(python, ["-c", "import torch, transformers, peft"]);
  return status === 0 ? undefined : `needs ${python} with torch and peft: set PUPIL_PYTHON`;
}

const rows = [
  [3, 1, 4, 1, 5, 6, 2, 0],
  [2, 6, 5, 3, 5, 0, 1, 1],
];
const variants = {
  "": { rank: 2, alpha: 5 },
  ", one target": { rank: 3, targets: ["mlp.down_proj", "mlp.c_proj"] },
  ", rank-stabilized": { rank: 2, rankStabilized: true },
};

async function loadInPython(): Promise<Record<string, Loaded>> {
  const folder = temporaryFolder();
  const tokenizer = characterTokenizer({ alphabet: "abcdef" });
  const random = new Random(8);
  for (const [name, config] of Object.entries(tinyConfigs)) {
    using decoder = tinyDecoder(config);
    const base = join(folder, "bases", name);
    await saveModelFolder(base, decoder, tokenizer);
    for (const [i, [suffix, { targets, ...options }]] of Object.entries(variants)
      .map(([key, value]) => [key, { targets: undefined, ...value }] as const)
      .entries()) {
      const chosen = targets?.filter((t) => (config.family === "gpt2") === t.includes("c_proj"));
      const adapter = addAdapter(decoder, `a${i}`, {
        ...{ ...options, random, baseModel: base },
        ...(chosen && { targets: chosen }),
      });
      for (const [key, parameter] of adapter.parameters) {
        const noise = random.stream(key);
        const values = Float32Array.from({ length: parameter.size }, () => 0.4 * noise.normal());
        tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
      }
      setActiveAdapter(decoder, adapter.name);
      const path = join(folder, name + suffix);
      await saveModelFolder(path, decoder, tokenizer);
      const logits = logitsOf(decoder, rows);
      writeFileSync(join(path, "expected.json"), JSON.stringify({ input_ids: rows, logits }));
      setActiveAdapter(decoder, undefined);
    }
  }
  const { stdout } = await promisify(execFile)(python, [script, folder]);
  return (JSON.parse(stdout) as { adapters: Record<string, Loaded> }).adapters;
}

const reason = reasonToSkip();

describe.skipIf(reason)(`PEFT loads the adapters that we save (${reason ?? python})`, () => {
  test("of every family, beside the base model and merged", { timeout: 300_000 }, async () => {
    const loaded = await loadInPython();
    expect(Object.keys(loaded)).toHaveLength(
      Object.keys(tinyConfigs).length * Object.keys(variants).length,
    );
    for (const [name, { difference, merged, warnings }] of Object.entries(loaded)) {
      expect(warnings, name).toEqual([]);
      expect(difference, name).toBeLessThan(1e-4);
      expect(merged, name).toBeLessThan(1e-4);
    }
  });
});
