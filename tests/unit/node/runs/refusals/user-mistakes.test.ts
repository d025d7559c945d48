import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../../src/models/index.js";
import { resolveEvaluation, saveModelFolder } from "../../../../../src/node/index.js";
import { Random } from "../../../../../src/tensors/index.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

interface ModelOptions {
  readonly alphabet?: string;
  readonly maxPositions?: number;
  readonly broken?: boolean;
}

/** Saves a tiny model; a broken one gives NaN. */
async function saveModel(path: string, options: ModelOptions = {}): Promise<string> {
  const { alphabet = "0123456789+=,:~", maxPositions = 32, broken = false } = options;
  const tokenizer = characterTokenizer({ alphabet });
  const config = modelConfigSchema.parse({
    family: "llama",
    vocabSize: tokenizer.vocabSize,
    hiddenSize: 8,
    numLayers: 1,
    numHeads: 2,
    maxPositions,
  });
  const model = initializeDecoder(config, new Random(9));
  if (broken) {
    const norm = model.parameters.get("model.norm.weight") as tf.Variable;
    const values = tf.fill(norm.shape, Number.NaN);
    norm.assign(values);
    values.dispose();
  }
  await saveModelFolder(path, model, tokenizer);
  model.dispose();
  return path;
}

async function messageOf(config: ReturnType<typeof tinyRun>): Promise<string> {
  try {
    await runToEnd(config);
  } catch (error) {
    expect((error as Error).name).toBe("PupilError");
    return (error as Error).message;
  }
  throw new Error("The run was accepted.");
}

const jsonl = (folder: string, lines: readonly string[]) => {
  const path = join(folder, "train.jsonl");
  writeFileSync(path, lines.join("\n"));
  return { data: { type: "jsonl", path } };
};

const distill = (teacher: string, loss: object = { type: "forward-kl" }) => ({
  teacher: { from: teacher },
  trainer: { type: "distill", steps: 2, loss: [loss] },
});

describe("a new user's mistake is a clear error and leaves no run behind", () => {
  const cases: [string, (folder: string) => object | Promise<object>, RegExp][] = [
    [
      "an empty data file",
      (folder) => jsonl(folder, []),
      /train\.jsonl: has no rows\. Give a file with one JSON object per line\./,
    ],
    [
      "a broken line 57",
      (folder) => {
        const lines = Array.from({ length: 80 }, () => '{"prompt":"1+1=","completion":"2"}');
        lines[56] = '{"prompt":"1+1=","completion":';
        return jsonl(folder, lines);
      },
      /train\.jsonl:57: is not valid JSON/,
    ],
    [
      "another field name",
      (folder) => jsonl(folder, ['{"question":"1+1=","answer":"2"}']),
      /train\.jsonl:1: has no prompt and completion.*Its fields are: question, answer\. .*fields\.prompt/,
    ],
    [
      "a data file that is not there",
      (folder) => ({ data: { type: "text", path: join(folder, "inptu.txt") } }),
      /inptu\.txt: The data file does not exist/,
    ],
    [
      "a text too short for one row",
      (folder) => {
        writeFileSync(join(folder, "a.txt"), "abc");
        return { data: { type: "text", path: join(folder, "a.txt") } };
      },
      /tokens, too few for one row of 64/,
    ],
    [
      "a teacher folder that is not there",
      (folder) => distill(join(folder, "no-teacher")),
      /no-teacher: The model folder does not exist/,
    ],
    [
      "more micro-batches than a step has rows",
      () => ({
        trainer: { type: "sft", steps: 2, batchSize: 4, gradientAccumulationSteps: 5 },
      }),
      /gradientAccumulationSteps: 5 micro-batches need at least 5 rows, got 4\. Raise trainer\.batchSize/,
    ],
    [
      "distillation without a teacher",
      () => ({ trainer: distill("x").trainer }),
      /needs a teacher/,
    ],
    [
      "a loss on the teacher's likeliest tokens without their number",
      async (folder) => distill(await saveModel(join(folder, "teacher")), { type: "sparse-kl" }),
      /loss: The loss sparse-kl needs teacherTokenIds, .*Set teacher\.topK/,
    ],
    [
      "labels where no row is from the data",
      async (folder) =>
        distill(await saveModel(join(folder, "teacher")), { type: "cross-entropy" }),
      /cross-entropy reads labels, but with onPolicyFraction 1 .*trainer\.onPolicyFraction/,
    ],
    [
      "a teacher's loss without a teacher",
      () => ({ trainer: { type: "sft", steps: 2, loss: [{ type: "reverse-kl" }] } }),
      /reverse-kl needs teacherLogits, .*A trainer that can: distill/,
    ],
    [
      "a teacher without weights",
      async (folder) => {
        const path = await saveModel(join(folder, "teacher"));
        writeFileSync(join(folder, "moved"), "");
        const { rmSync } = await import("node:fs");
        rmSync(join(path, "model.safetensors"));
        return distill(path);
      },
      /model\.safetensors: The weights file does not exist/,
    ],
    [
      "truncated weights",
      async (folder) => {
        const path = await saveModel(join(folder, "teacher"));
        truncateSync(join(path, "model.safetensors"), 2000);
        return distill(path);
      },
      /model\.safetensors: .*(truncated|ends|bytes)/,
    ],
    [
      "weights whose header lies",
      async (folder) => {
        const path = await saveModel(join(folder, "teacher"));
        const file = join(path, "model.safetensors");
        const bytes = readFileSync(file);
        bytes.writeBigUInt64LE(1_000_000_000n, 0);
        writeFileSync(file, bytes);
        return distill(path);
      },
      /model\.safetensors: .*header/,
    ],
    [
      "a student with another vocabulary",
      async (folder) => ({
        ...distill(await saveModel(join(folder, "teacher"))),
        student: {
          from: await saveModel(join(folder, "student"), { alphabet: "abc0123456789+=" }),
        },
      }),
      /student: The student has another tokenizer \(17 ids\) than this run \(17 ids\)/,
    ],
    [
      "a context shorter than the rows",
      async (folder) => ({
        student: { from: await saveModel(join(folder, "student"), { maxPositions: 5 }) },
      }),
      /The rows need a context of \d+ tokens, the student has 5/,
    ],
    [
      "a prompt longer than the context",
      async (folder) => ({
        ...jsonl(
          folder,
          Array.from({ length: 4 }, () => '{"prompt":"1+1+1+1+1+1=","completion":"2"}'),
        ),
        student: { from: await saveModel(join(folder, "student"), { maxPositions: 5 }) },
      }),
      /None of the \d+ rows fits into 6 tokens/,
    ],
    [
      "an ONNX export as a model",
      async (folder) => {
        const path = await saveModel(join(folder, "teacher"));
        mkdirSync(join(path, "onnx"));
        rmSync(join(path, "model.safetensors"));
        return distill(path);
      },
      /model\.safetensors: The weights file does not exist.* a teacher of type "onnx"/,
    ],
    [
      "words before the prompt that the tokenizer cannot write",
      async (folder) => {
        const from = await saveModel(join(folder, "teacher"));
        return { ...distill(from), teacher: { from, prompt: "Add {prompt}" } };
      },
      /^teacher\.prompt: The character "A"/,
    ],
    [
      "a text that the tokenizer cannot write",
      async (folder) => {
        const path = join(folder, "text.txt");
        writeFileSync(path, "1+1=2 and so on ".repeat(20));
        const teacher = await saveModel(join(folder, "teacher"));
        return { ...distill(teacher), data: { type: "text", path, sequenceLength: 8 } };
      },
      /text\.txt: The character " "/,
    ],
    [
      "heads that do not divide the width",
      () => ({
        student: { architecture: { family: "llama", hiddenSize: 9, numLayers: 1, numHeads: 2 } },
      }),
      /^student\.architecture: numHeads is 2: 2 heads do not divide hiddenSize 9\.$/,
    ],
  ];

  test.each(cases)("%s", async (_name, changes, message) => {
    const folder = temporaryFolder();
    const config = tinyRun(join(folder, "runs"), await changes(folder));
    expect(await messageOf(config)).toMatch(message);
    expect(existsSync(join(folder, "runs", "tiny"))).toBe(false);
  });
});

test("a loss that is not finite names step, term and tensor, and the last good checkpoint", async () => {
  const folder = temporaryFolder();
  const config = tinyRun(join(folder, "runs"), {
    student: { from: await saveModel(join(folder, "student"), { broken: true }) },
    evaluation: { every: 0, rows: 2 },
  });
  const message = await messageOf(config);
  expect(message).toMatch(/^step 1: The loss is not finite: term cross-entropy is NaN/);
  expect(message).toContain("No checkpoint had been written.");
});

test.each([0, 1])(
  "nothing is saved of a run that diverged, on policy %s",
  async (onPolicyFraction) => {
    const folder = temporaryFolder();
    const trainer = { type: "distill", steps: 6, batchSize: 4, onPolicyFraction };
    const config = tinyRun(join(folder, "runs"), {
      teacher: { from: await saveModel(join(folder, "teacher")) },
      trainer: { ...trainer, loss: [{ type: "forward-kl" }], learningRate: 1e30, warmupSteps: 0 },
      evaluation: { every: 0, rows: 2 },
    });
    expect(await messageOf(config)).toMatch(
      /^step 2: .*not finite.*No checkpoint had been written/,
    );
    expect(readdirSync(join(folder, "runs", "tiny", "checkpoints"))).toEqual([]);
  },
);

test("a run is not overwritten", async () => {
  const config = tinyRun(join(temporaryFolder(), "runs"), { evaluation: { every: 0, rows: 2 } });
  await runToEnd(config);
  expect(await messageOf(config)).toMatch(/A run with this name exists already\. .*resume=/);
});

test("an output that cannot be a folder", async () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(await messageOf(tinyRun(file))).toMatch(
    /file\/tiny: The folder cannot be made: a part of its path is a file \(ENOTDIR\)\. Choose another folder/,
  );
});

test("measuring a config that was never trained", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "run.json");
  writeFileSync(path, JSON.stringify(tinyRun(folder)));
  await expect(resolveEvaluation(path, [])).rejects.toThrow(
    /tiny: This config has not been trained yet.*model=<folder>/,
  );
  const { student } = await resolveEvaluation(path, ["model=other"]);
  expect(student).toEqual({ from: "other" });
});
