import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { characterTokenizer } from "../../../../../src/data/index.js";
import { fakeTeacherServer } from "../../../../setup/servers/fake-teacher-server.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { additionAlphabet } from "../../../../setup/models/tiny-teacher.js";

test("a run whose teacher fails saves the steps that are done, once, and says where", async () => {
  const folder = temporaryFolder();
  const tokenizer = characterTokenizer({ alphabet: additionAlphabet });
  const fake = await fakeTeacherServer({ tokenizer });
  const path = join(folder, "tokenizer.json");
  writeFileSync(path, JSON.stringify(tokenizer.toJson()));
  const run = tinyRun(folder, {
    teacher: {
      ...{ type: "http", server: "vllm", url: fake.url, model: "fake", tokenizer: path, topK: 3 },
      ...{ retries: 0, retryDelaySeconds: 0.001 },
    },
    trainer: { type: "distill", steps: 6, batchSize: 2, loss: [{ type: "sparse-kl" }] },
    evaluation: { every: 0, rows: 2 },
    checkpoint: { every: 0 },
  });
  const events: string[] = [];
  const breaking = runToEnd(run, {
    onStep: (step) => {
      events.push(`step ${step}`);
      fake.alwaysMake(step === 2 ? "error" : undefined);
    },
  });
  const checkpoint = join(folder, "tiny", "checkpoints", "step-2");
  await expect(breaking).rejects.toThrow(
    new RegExp(`^step 3: .*The teacher server failed .*The last good checkpoint is ${checkpoint}`),
  );
  expect(events).toEqual(["step 1", "step 2"]);
  expect(existsSync(join(checkpoint, "model.safetensors"))).toBe(true);
});
