import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import { readExamples, readRows, rowTokenizer } from "../../../../src/data/index.js";
import {
  crossEntropyLoss,
  hiddenStateLoss,
  lossTerm,
  reverseKlLoss,
} from "../../../../src/losses/index.js";
import { addAdapter, initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { AdamW } from "../../../../src/optim/index.js";
import { exactReward, rewardTerm, sampleRollouts } from "../../../../src/rollouts/index.js";
import { filesInMemory, prepareData } from "../../../../src/config/index.js";
import { loadModelFolder, loadTokenizer, saveModelFolder } from "../../../../src/node/index.js";
import { modelTeacher } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { distill, pairs, sft, type StepMetrics } from "../../../../src/trainers/index.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 11, hiddenSize: 8, numLayers: 1, numHeads: 2 },
  maxPositions: 16,
});
const row = { ids: [1, 2, 3, 4], completionStart: 2 };
const tokenizer = { padId: 0, endIds: [] };
const random = new Random(1);

/** What a trainer in plain JavaScript would be called with. */
async function messageOf(train: (options: never) => AsyncGenerator<unknown>, options: unknown) {
  try {
    await train(options as never).next();
  } catch (error) {
    expect(error).toBeInstanceOf(PupilError);
    return (error as Error).message;
  }
  throw new Error("It was accepted.");
}

describe("a part that a trainer was not given is named, with where it comes from", () => {
  test.each<[string, (parts: Record<string, unknown>) => unknown, RegExp]>([
    ["no options at all", () => undefined, /^distill: was called without options/],
    ["no student", (parts) => ({ ...parts, student: undefined }), /^distill: student: is missing/],
    ["no teacher", (parts) => ({ ...parts, teacher: null }), /^distill: teacher: has no score/],
    [
      "a list of rows",
      (parts) => ({ ...parts, data: [row] }),
      /^distill: data: has no rows\. .*prepareData/,
    ],
    [
      "no optimizer",
      (parts) => ({ ...parts, optimizer: {} }),
      /optimizer: has no apply\. .*new AdamW/,
    ],
    ["no tokenizer", (parts) => ({ ...parts, tokenizer: undefined }), /tokenizer: is missing/],
    [
      "a seed for random",
      (parts) => ({ ...parts, random: 7 }),
      /random: has no stream\. .*new Random/,
    ],
    [
      "no loss",
      (parts) => ({ ...parts, loss: undefined }),
      /^distill: loss: is missing\. .*lossTerm/,
    ],
    [
      "a loss by name",
      (parts) => ({ ...parts, loss: ["reverse-kl"] }),
      /loss: is no list of loss terms/,
    ],
    [
      "an empty list of losses",
      (parts) => ({ ...parts, loss: [] }),
      /loss: is no list of loss terms/,
    ],
    ["no steps", (parts) => ({ ...parts, steps: undefined }), /^distill: steps: is missing/],
    ["half a step", (parts) => ({ ...parts, steps: 1.5 }), /^distill: steps: is 1\.5/],
    ["a batch of nothing", (parts) => ({ ...parts, batchSize: 0 }), /batchSize: is 0/],
    [
      "a learning rate of NaN",
      (parts) => ({ ...parts, schedule: { learningRate: Number.NaN } }),
      /schedule: learningRate is NaN/,
    ],
    [
      "a schedule of no such name",
      (parts) => ({ ...parts, schedule: { schedule: "cosinus" } }),
      /schedule: schedule is "cosinus"\. Did you mean "cosine"/,
    ],
    [
      "a field that no schedule has",
      (parts) => ({ ...parts, schedule: { lr: 1 } }),
      /schedule: lr is not a field\. Allowed: learningRate/,
    ],
  ])("%s", async (_what, options, message) => {
    using student = initializeDecoder(config, random);
    using optimizer = new AdamW(student.parameters);
    const parts = {
      ...{ student, optimizer, tokenizer, random, steps: 1 },
      teacher: modelTeacher(student),
      data: { rows: () => [row], promptOf: () => [1] },
      loss: [lossTerm(reverseKlLoss, {})],
    };
    expect(await messageOf(distill as never, options(parts))).toMatch(message);
  });

  test("of the other trainers, too", async () => {
    expect(await messageOf(sft as never, {})).toMatch(/^sft: student: is missing/);
    expect(await messageOf(pairs as never, {})).toMatch(/^pairs: student: is missing/);
    using student = initializeDecoder(config, random);
    using optimizer = new AdamW(student.parameters);
    const parts = { student, optimizer, tokenizer, random, data: { rows: () => [row] } };
    expect(await messageOf(pairs as never, parts)).toMatch(/^pairs: data: has no pairs/);
  });
});

test("options that do not fit are said as in configs", () => {
  expect(() => lossTerm(reverseKlLoss, { temperature: "hot" } as never)).toThrow(
    'reverse-kl: temperature is "hot", expected number.',
  );
  expect(() => lossTerm(hiddenStateLoss, {}, 1, [[1]] as never)).toThrow(
    "hidden-state: layers.0 is [1]: expected at least 2 entries.",
  );
  expect(() => rewardTerm(exactReward, { often: 1 } as never)).toThrow(
    /^exact: often is not a field/,
  );
  using student = initializeDecoder(config, random);
  expect(() => new AdamW(student.parameters, { beta1: 2 })).toThrow(
    "AdamW: beta1 is 2: expected less than 1.",
  );
  expect(() => addAdapter(student, "a", { random, rank: "high" } as never)).toThrow(
    'lora: rank is "high", expected number.',
  );
});

test("other functions of the library say what they were not given", async () => {
  expect(() => lossTerm(undefined as never, {})).toThrow(/^lossTerm: definition: is missing\./);
  expect(() => lossTerm("reverse-kl" as never, {})).toThrow(/^lossTerm: definition: has no config/);
  expect(() => rewardTerm(undefined as never, {})).toThrow(/^rewardTerm: definition: is missing/);
  expect(() => modelTeacher(undefined as never)).toThrow(/^modelTeacher: model: is missing/);
  expect(() => modelTeacher({ model: {}, tokenizer } as never)).toThrow(/has no forward/);
  expect(() => rowTokenizer(undefined as never)).toThrow(/^rowTokenizer: tokenizer: is missing/);
  await expect(loadModelFolder(undefined as never)).rejects.toThrow(/path: is missing/);
  await expect(loadModelFolder({} as never)).rejects.toThrow(/path: is no text/);
  await expect(loadTokenizer("" as never)).rejects.toThrow(/loadTokenizer: path: is empty/);
  await expect(readRows("a.jsonl" as never).next()).rejects.toThrow(/file: has no chunks/);
  await expect(readExamples("a.jsonl" as never).next()).rejects.toThrow(/files: has no Symbol/);
  await expect(sampleRollouts(undefined as never)).rejects.toThrow(/^sampleRollouts: is missing/);
  await expect(sampleRollouts({ model: 5 } as never)).rejects.toThrow(/model: has no forward/);
  expect(() => new AdamW(undefined as never)).toThrow(/AdamW: parameters: is missing/);
  expect(() => filesInMemory({} as never)).toThrow(/filesInMemory: files: has no Symbol/);
  using student = initializeDecoder(config, random);
  const sampling = { endIds: [], padId: 0, maxNewTokens: 1, policy: {}, random };
  await expect(sampleRollouts({ model: student, ...sampling } as never)).rejects.toThrow(
    /sampleRollouts: prompts: is missing/,
  );
  const data = { type: "task", task: { type: "addition" } };
  await expect(prepareData(data as never, { random } as never)).rejects.toThrow(
    /prepareData: tokenizer: is missing/,
  );
  const files = new Map();
  const options = { random, files, tokenizer: { encode: () => [] } };
  await expect(prepareData(undefined as never, options as never)).rejects.toThrow(
    /prepareData: dataset: is missing/,
  );
  await expect(prepareData(data as never, options as never)).rejects.toThrow(
    /prepareData: files: has no open/,
  );
  await expect(saveModelFolder("nowhere", student, undefined as never)).rejects.toThrow(
    /saveModelFolder: tokenizer: is missing/,
  );
});

describe("what can be left out has the default of a run config", () => {
  async function firstSteps(options: object): Promise<StepMetrics[]> {
    using student = initializeDecoder(config, new Random(3));
    using optimizer = new AdamW(student.parameters);
    const data = { rows: () => [row], promptOf: () => [1] };
    const metrics: StepMetrics[] = [];
    const parts = { student, optimizer, data, tokenizer, steps: 3, batchSize: 1 };
    for await (const step of sft({ ...parts, ...options })) metrics.push({ ...step, elapsedMs: 0 });
    return metrics;
  }

  test("the loss of sft is cross-entropy", async () => {
    const explicit = await firstSteps({ loss: [lossTerm(crossEntropyLoss, {})] });
    expect(await firstSteps({})).toEqual(explicit);
  });

  test("a schedule is given in part", async () => {
    const rates = async (schedule: object) =>
      (await firstSteps({ schedule })).map(({ learningRate }) => learningRate);
    expect(await rates({ learningRate: 0.5, schedule: "constant" })).toEqual([0.5, 0.5, 0.5]);
    expect(await rates({ schedule: "constant" })).toEqual([1e-3, 1e-3, 1e-3]);
    expect(await rates({ warmupSteps: 1 })).toEqual(
      await rates({ learningRate: 1e-3, warmupSteps: 1, schedule: "cosine" }),
    );
  });
});
