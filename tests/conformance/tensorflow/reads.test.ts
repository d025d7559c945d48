/** That a training step stays where libtensorflow computes: one read for each step, and one for each generated token. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { useCpu } from "../../setup/backends/backend.js";
import { countReads, type Reader } from "../../setup/backends/count-reads.js";
import { runToEnd, tinyRun } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { hasTensorflow, onTensorflow, useTensorflow } from "../../setup/backends/tensorflow.js";
import { saveTinyTeacher } from "../../setup/models/tiny-teacher.js";

describe.skipIf(!hasTensorflow)(`reads on ${onTensorflow}`, () => {
  afterAll(useCpu);

  test("steps read once, tokens once, and kernels never; nothing is left over", async () => {
    const folder = temporaryFolder();
    await useCpu();
    const from = await saveTinyTeacher(folder);
    await useTensorflow();
    const counts = countReads(tf.backend() as unknown as Reader);
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
    counts.stop();
    const perStep = readAfter.slice(1).map((count, i) => count - (readAfter[i] as number));
    expect(perStep).toHaveLength(steps - 1);
    for (const count of perStep) expect(count).toBeLessThanOrEqual(1 + maxNewTokens);
    expect(counts.sync).toBe(0);
    expect(new Set(tensorsAfter.slice(1)).size).toBe(1);
  });
});
