/** That a training step stays where libtensorflow computes: one read for each step, and one for each generated token. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { useCpu } from "../../setup/backend.js";
import { runToEnd, tinyRun } from "../../setup/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { hasTensorflow, onTensorflow, useTensorflow } from "../../setup/tensorflow.js";
import { saveTinyTeacher } from "../../setup/tiny-teacher.js";

type Reader = { readSync(id: object): tf.TypedArray; read(id: object): Promise<tf.TypedArray> };

/** Counts what the running backend gives to JavaScript, and by which of its two ways. */
function countReads(backend: Reader): { readonly sync: number; readonly all: number } {
  const counts = { sync: 0, all: 0, waiting: false };
  const { readSync, read } = backend;
  backend.readSync = (id) => {
    counts.all++;
    if (!counts.waiting) counts.sync++;
    return readSync.call(backend, id);
  };
  backend.read = (id) => {
    counts.waiting = true;
    // The package's own read is its readSync.
    const values = read.call(backend, id);
    counts.waiting = false;
    return values;
  };
  return counts;
}

describe.skipIf(!hasTensorflow)(`reads on ${onTensorflow}`, () => {
  afterAll(useCpu);

  test("steps read once, tokens once, and kernels never; nothing is left over", async () => {
    const folder = temporaryFolder();
    await useCpu();
    const from = await saveTinyTeacher(folder);
    await useTensorflow();
    const backend = tf.backend() as unknown as Reader;
    const { readSync, read } = backend;
    const counts = countReads(backend);
    const [steps, maxNewTokens] = [4, 6];
    const readAfter: number[] = [];
    const tensorsAfter: number[] = [];
    const config = tinyRun(folder, {
      backend: "tensorflow",
      teacher: { from },
      trainer: {
        ...{ type: "distill", steps, batchSize: 2, onPolicyFraction: 1, maxNewTokens },
        loss: [{ type: "reverse-kl" }],
      },
      evaluation: { every: 0, rows: 2 },
      checkpoint: { every: 0 },
    });
    const onStep = () => {
      readAfter.push(counts.all);
      tensorsAfter.push(tf.memory().numTensors);
    };
    await runToEnd(config, { onStep });
    Object.assign(backend, { readSync, read });
    const perStep = readAfter.slice(1).map((count, i) => count - (readAfter[i] as number));
    expect(perStep).toHaveLength(steps - 1);
    for (const count of perStep) expect(count).toBeLessThanOrEqual(1 + maxNewTokens);
    expect(counts.sync).toBe(0);
    expect(new Set(tensorsAfter.slice(1)).size).toBe(1);
  });
});
