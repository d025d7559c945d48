import { join } from "node:path";
import { expect, test } from "vitest";
import { additionTask, characterTokenizer } from "../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { saveModelFolder } from "../../../src/node/index.js";
import { Random } from "../../../src/tensors/index.js";
import { metricsOf, runToEnd, tinyRun } from "../../setup/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

test("a run tells of a known failure, once, and keeps it in its log", async () => {
  const folder = temporaryFolder();
  const tokenizer = characterTokenizer({ alphabet: additionTask.alphabet({} as never) });
  const shape = { hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 32 };
  const config = { family: "llama", vocabSize: tokenizer.vocabSize, ...shape };
  using model = initializeDecoder(modelConfigSchema.parse(config), new Random(9));
  const teacher = join(folder, "teacher");
  await saveModelFolder(teacher, model, tokenizer);
  // A student that is its teacher: no token is better or worse than expected.
  const run = tinyRun(folder, {
    teacher: { from: teacher },
    student: { from: teacher },
    trainer: { type: "distill", steps: 8, batchSize: 4, loss: [{ type: "policy-gradient" }] },
    evaluation: { every: 0, rows: 4 },
  });
  const events = await runToEnd(run);
  const warnings = events.filter((event) => event.type === "warning");
  expect(warnings.map(({ warning }) => warning)).toEqual([
    {
      warning: "zero-variance-advantages",
      step: 5,
      message: expect.stringMatching(/^Step 5: all advantages are equal/) as string,
      remedy: expect.stringContaining("samplingTemperature") as string,
    },
  ]);
  expect(metricsOf(run).filter((row) => "warning" in row)).toEqual(
    warnings.map(({ warning }) => warning),
  );
});
