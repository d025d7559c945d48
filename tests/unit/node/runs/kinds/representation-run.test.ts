/** Runs with losses on the layers of student and teacher, as a config describes them. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { additionTask, characterTokenizer } from "../../../../../src/data/index.js";
import {
  decodeSafetensors,
  initializeDecoder,
  modelConfigSchema,
} from "../../../../../src/models/index.js";
import { saveModelFolder } from "../../../../../src/node/index.js";
import { Random } from "../../../../../src/tensors/index.js";
import { metricsOf, runToEnd, stepsOf, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

async function teacherFolder(path: string): Promise<string> {
  const tokenizer = characterTokenizer({ alphabet: additionTask.alphabet({} as never) });
  const config = modelConfigSchema.parse({
    ...{ family: "llama", vocabSize: tokenizer.vocabSize, hiddenSize: 12, numLayers: 2 },
    ...{ numHeads: 2, headDim: 4, maxPositions: 32, initializerRange: 0.4 },
  });
  using model = initializeDecoder(config, new Random(9));
  await saveModelFolder(path, model, tokenizer);
  return path;
}

async function distilled(loss: object[], changes: object = {}) {
  const output = temporaryFolder();
  return tinyRun(output, {
    teacher: { from: await teacherFolder(join(output, "teacher")) },
    trainer: {
      ...{ type: "distill", steps: 25, batchSize: 4, onPolicyFraction: 0, warmupSteps: 2 },
      ...{ learningRate: 0.03, loss, ...changes },
    },
    evaluation: { every: 0, rows: 2 },
    checkpoint: { every: 0 },
  });
}

test("a run lowers the outputs' divergence, the hidden states' and the caches' distance", async () => {
  const config = await distilled([
    { type: "forward-kl" },
    { type: "hidden-state", weight: 0.5, layers: [[1, 2]] },
    { type: "kv-match", weight: 0.1, layers: [[1, 2]] },
  ]);
  const events = await runToEnd(config);
  const [started] = events;
  expect(started).toMatchObject({
    type: "started",
    notes: expect.arrayContaining([
      "Learned beside the student: projections.1-2.weight [12, 8], from its width to the teacher's.",
    ]),
  });
  const terms = stepsOf(config).map((step) => step.terms);
  const average = (name: string, from: number, to: number) =>
    terms.slice(from, to).reduce((sum, row) => sum + row[name]!, 0) / (to - from);
  for (const name of ["forward-kl", "hidden-state", "kv-match"]) {
    const [first, last] = [average(name, 0, 3), average(name, 22, 25)];
    expect(last / first, `${name}: ${first} to ${last}`).toBeLessThan(0.9);
  }

  const checkpoint = join(config.output, config.name, "checkpoints", "step-25");
  const namesIn = (file: string) => [
    ...decodeSafetensors(readFileSync(join(checkpoint, file)), file).keys(),
  ];
  expect(namesIn("projections.safetensors")).toEqual(["projections.1-2.weight"]);
  expect(namesIn("model.safetensors").join()).not.toContain("projections");
  expect(namesIn("optimizer.safetensors")).toContain("projections.1-2.weight.firstMoment");
});

test("representations alone can be trained, packed too, and leave what they do not reach", async () => {
  const loss = [{ type: "hidden-state", metric: "cosine", layers: [[0, 0]] }];
  const config = await distilled(loss, { steps: 8, packing: true });
  await runToEnd(config);
  const values = metricsOf(config).flatMap((row) => ("loss" in row ? [row["loss"] as number] : []));
  expect(values.at(-1)).toBeLessThan(0.9 * values[0]!);
});

describe("a mistake is found before anything is written:", () => {
  test.each([
    [
      "a layer that the student does not have",
      [{ type: "hidden-state", layers: [[2, 2]] }],
      /hidden-state compares layer 2 of the student, which has layers 0 to 1/,
    ],
    [
      "states of pairs of sentences, which no trainer has",
      [{ type: "triplet" }],
      /needs anchorStates.*which this trainer does not have/,
    ],
  ])("%s", async (_what, loss, message) => {
    const config = await distilled(loss);
    await expect(runToEnd(config)).rejects.toThrow(message);
    expect(existsSync(join(config.output, config.name))).toBe(false);
  });

  test("a checkpoint without the projections that a resumed run needs", async () => {
    const config = await distilled([{ type: "hidden-state" }], { steps: 3 });
    await runToEnd(config, { stopAfter: 2 });
    const checkpoint = join(config.output, config.name, "checkpoints", "step-2");
    rmSync(join(checkpoint, "projections.safetensors"));
    await expect(runToEnd(config, { resume: true })).rejects.toThrow(
      /None of its 1 checkpoints is whole\. Step 2: .*projections\.safetensors: The file is missing/,
    );
    // One that an older version wrote has no mark that knows of the file.
    rmSync(join(checkpoint, "complete.json"));
    await expect(runToEnd(config, { resume: true })).rejects.toThrow(
      /projections\.safetensors: The state of the projections does not exist/,
    );
  });
});
