import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseConfig, runConfigSchema } from "../../../../../src/config/index.js";
import type { RunSummary } from "../../../../../src/node/index.js";
import {
  metricsOf,
  runToEnd,
  stepsOf,
  tinyConfig,
  tinyRun,
  weightsOf,
} from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const trainer = {
  ...{ type: "reinforce", steps: 2, batchSize: 2 },
  sampler: { type: "plain", samplesPerProblem: 2 },
};

test("a run measures rewards and samples, and sums its costs up", async () => {
  const config = tinyRun(join(temporaryFolder(), "runs"), {
    trainer: { ...trainer, rewards: [{ type: "exact" }, { type: "length", shape: "shorter" }] },
  });
  await runToEnd(config);
  const rows = metricsOf(config);
  const steps = stepsOf(config);
  expect(steps[0]?.rewards).toHaveProperty("length");
  const last = rows.filter((row) => "heldOut.accuracy" in row).at(-1);
  for (const name of ["passAt1", "passAt4", "majAt4", "tokensPerAnswer", "reward"]) {
    expect(last).toHaveProperty([`heldOut.${name}`]);
    expect(last).toHaveProperty([`longer.${name}`]);
  }
  const folder = join(config.output, config.name);
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8")) as object;
  const { cost } = read("summary.json") as RunSummary;
  const written = steps.map((row) => (row.cost as RunSummary["cost"]).studentTokens);
  expect(cost.studentTokens).toBe(written.reduce((a, b) => a + b, 0));
  expect(cost.studentForwards).toBe(cost.studentTokens + 2 * 4);
  expect(read("problems.json")).toHaveProperty("heldOut");
});

test("rollouts that are learned more than once go on exactly from where the next ones are made", async () => {
  const folder = temporaryFolder();
  const run = (name: string) =>
    tinyRun(folder, {
      ...{ name, evaluation: { every: 4, rows: 2 }, checkpoint: { every: 2 } },
      trainer: { ...trainer, steps: 4, updatesPerRollout: 2 },
    });
  const [whole, stopped] = [run("whole"), run("stopped")];
  await runToEnd(whole);
  expect(stepsOf(whole).map(({ step }) => step)).toEqual([1, 2, 3, 4]);
  // In the middle of the rollouts of steps 1 and 2: it ends with those.
  await runToEnd(stopped, { stopAfter: 1 });
  expect(stepsOf(stopped)).toHaveLength(2);
  await runToEnd(stopped, { resume: true });
  expect(metricsOf(stopped)).toEqual(metricsOf(whole));
  expect(weightsOf(stopped, 4)).toEqual(weightsOf(whole, 4));
});

test("rows of a file with a verifier are problems too", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "sums.jsonl");
  const lines = Array.from({ length: 10 }, (_, i) => `{"prompt": "1+${i}=", "answer": "${1 + i}"}`);
  writeFileSync(path, lines.join("\n"));
  const config = tinyRun(join(folder, "runs"), {
    data: { type: "jsonl", path, verifier: { type: "number" }, validationFraction: 0.3 },
    trainer: { ...trainer, maxNewTokens: 3 },
    evaluation: { every: 0, rows: 2, samplesPerPrompt: 2, maxNewTokens: 3 },
  });
  await runToEnd(config);
  const last = metricsOf(config).at(-1);
  expect(last).toHaveProperty(["heldOut.passAt2"]);
  expect(last).toHaveProperty(["heldOut.reward"]);
});

test("a reference is the model of the start, of an adapter its base, or that of a folder", async () => {
  const output = join(temporaryFolder(), "runs");
  await runToEnd(tinyRun(output));
  const from = join(output, "tiny");
  const losses = [
    { type: "policy-gradient" },
    { type: "reverse-kl", against: "reference", weight: 0.1 },
  ];
  const rewards = [{ type: "length", shape: "shorter" }];
  const sampler = { type: "plain", samplesPerProblem: 12 };
  const kl = async (name: string, reference: string, student: object) => {
    const config = tinyRun(output, {
      ...{ name, student, evaluation: { every: 0, rows: 2, samplesPerPrompt: 1 } },
      trainer: {
        ...trainer,
        sampler,
        rewards,
        reference,
        loss: losses,
        learningRate: 0.05,
        steps: 3,
      },
    });
    await runToEnd(config);
    return stepsOf(config).map(({ terms }) => terms["reverse-kl"] as number);
  };
  for (const [name, student] of [
    ["whole", { from }],
    ["adapter", { from, lora: { rank: 2 } }],
  ] as const) {
    const [first, , third] = await kl(name, "initial", student);
    expect(first, name).toBeCloseTo(0, 6);
    expect(third, name).toBeGreaterThan(1e-6);
  }
  const [other] = await kl("folder", join(output, "whole"), { from });
  expect(other).toBeGreaterThan(1e-6);
});

test("sft measures samples only where that is asked, and costs a pass per row", async () => {
  const evaluation = { every: 0, rows: 4, samplesPerPrompt: 2 };
  const config = tinyRun(join(temporaryFolder(), "runs"), { evaluation });
  await runToEnd(config);
  const rows = metricsOf(config);
  expect(rows.at(-1)).toHaveProperty(["heldOut.passAt2"]);
  expect(rows.at(-1)).not.toHaveProperty(["heldOut.reward"]);
  const cost = { studentTokens: 0, studentForwards: 4, teacherTokens: 0, teacherForwards: 0 };
  expect(stepsOf(config)[0]?.cost).toEqual(cost);
});

describe("before anything of a run is made, it is refused", () => {
  const refusal = async (changes: object): Promise<string> => {
    const output = join(temporaryFolder(), "runs");
    try {
      await runToEnd(parseConfig(runConfigSchema, tinyConfig(output, changes), "tiny"));
    } catch (error) {
      expect(existsSync(join(output, "tiny", "config.json"))).toBe(false);
      return (error as Error).message;
    }
    return "accepted";
  };

  test("one completion per problem, no weights, no teacher, half a batch of rollouts", async () => {
    const sampler = { type: "plain", samplesPerProblem: 1 };
    expect(await refusal({ trainer: { ...trainer, sampler } })).toMatch(
      /trainer.sampler.samplesPerProblem: .*no others to be compared/,
    );
    const rewards = [{ type: "exact", weight: 0 }];
    expect(await refusal({ trainer: { ...trainer, rewards } })).toMatch(
      /All rewards have the weight 0/,
    );
    expect(await refusal({ trainer: { ...trainer, advantage: { teacher: {} } } })).toMatch(
      /trainer.advantage.teacher: .*there is no teacher/,
    );
    expect(await refusal({ trainer: { ...trainer, steps: 3, updatesPerRollout: 2 } })).toMatch(
      /trainer.steps: is 3/,
    );
    const loss = [{ type: "sampled-reverse-kl", estimator: "k1" }];
    expect(await refusal({ trainer: { ...trainer, loss } })).toMatch(
      /expected gradient of exactly 0/,
    );
    const misspelt = [{ type: "exakt" }];
    expect(await refusal({ trainer: { ...trainer, rewards: misspelt } })).toMatch(/exact/);
  });

  test("data without problems", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "text.txt");
    writeFileSync(path, "abc ".repeat(200));
    const data = { type: "text", path, sequenceLength: 8 };
    expect(await refusal({ data, trainer })).toMatch(/no problems whose answers can be verified/);
  });
});
