import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli } from "./cli-process.js";

test("pupil record-teacher stores what a teacher says of a run's rows", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "input.txt"),
    "To be, or not to be, that is the question. ".repeat(20),
  );
  const config = {
    name: "tiny",
    backend: "cpu",
    student: { architecture: { family: "gpt2", hiddenSize: 8, numLayers: 1, numHeads: 2 } },
    teacher: { type: "n-gram", path: "input.txt", topK: 4 },
    data: { type: "text", path: "input.txt", sequenceLength: 8, promptLength: 2 },
    trainer: {
      type: "distill",
      steps: 4,
      batchSize: 2,
      onPolicyFraction: 0,
      loss: [{ type: "sparse-kl" }],
    },
    evaluation: { every: 0, rows: 2 },
  };
  writeFileSync(join(folder, "run.json"), JSON.stringify(config));
  const recorded = await runCli(["record-teacher", "run.json", "output=rec"], folder);
  expect(recorded.stderr).toMatch(/shard-00000\.bin written: 10 of 10 rows\./);
  expect(recorded.stderr).toMatch(
    /Recorded \d+ tokens of \d+ rows: [\d,]+ bytes, [\d.]+ per token/,
  );
  expect(recorded.stderr).toContain(`teacher='{"type":"recorded","from":"rec"}'`);
  expect(recorded.code).toBe(0);
  expect(readdirSync(join(folder, "rec")).sort()).toEqual([
    "manifest.json",
    "shard-00000.bin",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
});
