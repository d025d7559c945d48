import { expect, test } from "vitest";
import { evaluateRun } from "../../../../src/node/index.js";
import { tinyRun } from "../../../setup/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/tiny-teacher.js";

test("a student is measured against another teacher than its trainer's loss could use", async () => {
  const folder = temporaryFolder();
  const from = await saveTinyTeacher(folder);
  const run = tinyRun(folder, {
    student: { from },
    // sparse-kl would need its topK.
    teacher: { from },
    trainer: { type: "distill", steps: 2, batchSize: 2, loss: [{ type: "sparse-kl" }] },
  });
  const { metrics } = await evaluateRun(run);
  expect(Math.abs(metrics["heldOut.reverseKl"] as number)).toBeLessThan(1e-5);
  expect(metrics["heldOut.loss"]).toBeGreaterThan(1);
});
