import { join } from "node:path";
import { expect, test } from "vitest";
import { additionTask, characterTokenizer } from "../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { evaluateRun, saveModelFolder } from "../../../src/node/index.js";
import { Random } from "../../../src/tensors/index.js";
import { tinyRun } from "../../setup/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

test("a student is measured against another teacher than its trainer's loss could use", async () => {
  const folder = temporaryFolder();
  const tokenizer = characterTokenizer({ alphabet: additionTask.alphabet({} as never) });
  const shape = { hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 32 };
  const config = { family: "llama", vocabSize: tokenizer.vocabSize, ...shape };
  using model = initializeDecoder(modelConfigSchema.parse(config), new Random(9));
  const from = join(folder, "model");
  await saveModelFolder(from, model, tokenizer);
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
