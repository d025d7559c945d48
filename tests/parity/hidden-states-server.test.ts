/** Against scripts/servers/hidden-states-server.py, which serves a model that we saved through transformers. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { byteTokenizer, makeBatch } from "../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../src/models/index.js";
import { loadModelFolder, saveModelFolder } from "../../src/node/index.js";
import { readModelHead } from "../../src/node/models/model-head.js";
import { hiddenStatesTeacher, httpStates, modelTeacher } from "../../src/teachers/index.js";
import { Random } from "../../src/tensors/index.js";
import { temporaryFolder } from "../setup/temporary-folder.js";

const python = process.env["PUPIL_PYTHON"] ?? "python";
const reason =
  spawnSync(python, ["-c", "import torch, transformers"]).status === 0
    ? undefined
    : `needs ${python} with torch and transformers: set PUPIL_PYTHON`;

/** Importing transformers takes many seconds where much else is going on. */
const patience = 300_000;

/** Its address, once it listens; it ends with the running test. */
async function startServer(folder: string): Promise<string> {
  const script = join(import.meta.dirname, "../../scripts/servers/hidden-states-server.py");
  const child: ChildProcess = spawn(python, [script, folder, "--port", "0"]);
  onTestFinished(() => {
    child.kill();
  });
  if (child.stdout === null) throw new Error("Its output is read.");
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /Listening on (\S+)/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error("The server ended before it listened.");
}

describe.skipIf(reason)(`a server of hidden states in Python (${reason ?? python})`, () => {
  test.each([
    ["llama", true],
    ["gpt2", true],
    ["qwen3", false],
  ] as const)(
    "%s, tied %s: the distributions of the model here",
    { timeout: patience },
    async (...given) => {
      const [family, tied] = given;
      const folder = join(temporaryFolder(), "model");
      const tokenizer = byteTokenizer();
      const config = modelConfigSchema.parse({
        ...{ family, vocabSize: tokenizer.vocabSize, hiddenSize: 16, numLayers: 2, numHeads: 2 },
        ...{ maxPositions: 32, initializerRange: 0.3, tieWordEmbeddings: tied },
      });
      using saved = initializeDecoder(config, new Random(6));
      await saveModelFolder(folder, saved, tokenizer);
      const url = await startServer(folder);
      const head = await readModelHead(folder);
      const states = httpStates({
        ...{ url, head, tokenizer, dtype: "float32", random: new Random(1) },
        ...{ timeoutMs: 60_000, retries: 0, retryDelayMs: 1, concurrency: 2 },
      });
      await states.probe();
      using remote = hiddenStatesTeacher(states, head);
      using local = modelTeacher((await loadModelFolder(folder)).model);
      using batch = makeBatch([{ ids: tokenizer.encode("a naïve 🙂 cat"), completionStart: 2 }], 0);
      const [ours, theirs] = [
        await local.score(batch, ["teacherLogits"]),
        await remote.score(batch, ["teacherLogits"]),
      ];
      const difference = tf.tidy(() => {
        const [a, b] = [ours.tensors().teacherLogits, theirs.tensors().teacherLogits];
        const apart = (a as tf.Tensor).sub(b as tf.Tensor).abs();
        return apart.mul(batch.completionMask.expandDims(2)).max().dataSync()[0];
      });
      expect(difference).toBeLessThan(1e-4);
    },
  );
});
