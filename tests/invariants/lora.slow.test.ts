import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseConfig, type RunConfig, runConfigSchema } from "../../src/config/index.js";
import { additionTask, characterTokenizer } from "../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../src/models/index.js";
import {
  evaluateRun,
  loadModelFolder,
  resolveEvaluation,
  saveModelFolder,
} from "../../src/node/index.js";
import { Random } from "../../src/tensors/index.js";
import { metricsOf, runToEnd, tinyConfig, tinyRun } from "../setup/runs/runs.js";
import { temporaryFolder } from "../setup/temporary-folder.js";

/** An untrained model to put adapters on. */
async function baseFolder(folder: string): Promise<string> {
  const tokenizer = characterTokenizer({ alphabet: additionTask.alphabet({} as never) });
  const config = modelConfigSchema.parse({
    ...{ family: "llama", vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1 },
    ...{ numHeads: 2, maxPositions: 32, initializerRange: 0.3 },
  });
  using model = initializeDecoder(config, new Random(9));
  await saveModelFolder(join(folder, "base"), model, tokenizer);
  return join(folder, "base");
}

const checkpointOf = ({ output, name }: RunConfig, step: number) =>
  join(output, name, "checkpoints", `step-${step}`);
const bytesOf = (config: RunConfig, step: number, file: string) =>
  readFileSync(join(checkpointOf(config, step), file));

const lora = { rank: 2, alpha: 4, targets: ["q_proj", "v_proj", "down_proj"] };
const sizes = { steps: 6, batchSize: 4, warmupSteps: 2, learningRate: 0.02 };
const reference = { teacher: { type: "self", adapter: "none" } };
const trainers = {
  sft: { trainer: { type: "sft", ...sizes } },
  distill: {
    ...reference,
    trainer: {
      ...{ type: "distill", ...sizes, onPolicyFraction: 0.5 },
      loss: [{ type: "cross-entropy" }, { type: "reverse-kl", weight: 0.1 }],
    },
  },
  pairs: { ...reference, trainer: { type: "pairs", ...sizes, loss: [{ type: "dpo" }] } },
  average: {
    teacher: { type: "self", emaDecay: 0.5 },
    trainer: {
      ...{ type: "distill", ...sizes, onPolicyFraction: 0.5 },
      loss: [{ type: "cross-entropy" }, { type: "forward-kl", weight: 0.1 }],
    },
  },
};

describe.each(Object.entries(trainers))("%s with an adapter", (_name, changes) => {
  test("stopped and resumed equals the uninterrupted run bit for bit", async () => {
    const folder = temporaryFolder();
    const from = await baseFolder(folder);
    const before = readFileSync(join(from, "model.safetensors"));
    const run = (name: string) =>
      tinyRun(join(folder, name), {
        ...{ ...changes, student: { from, lora } },
        evaluation: { every: 0, rows: 2 },
      });
    const [whole, parts] = [run("whole"), run("parts")];
    const events = await runToEnd(whole);
    expect(events[0]).toMatchObject({
      notes: expect.arrayContaining([
        expect.stringMatching(/^Student: .* frozen, and 1\d\d of an adapter of rank 2\.$/),
      ]) as unknown,
    });
    const last = events.at(-1);
    expect(last?.type === "finished" && last.summary.trainedParameters).toBeLessThan(200);

    await runToEnd(parts, { stopAfter: 4 });
    const resumed = await runToEnd(parts, { resume: true });
    expect(resumed[0]).toMatchObject({ type: "resumed", step: 4 });
    expect(metricsOf(parts)).toEqual(metricsOf(whole));
    for (const file of ["adapter_model.safetensors", "optimizer.safetensors"]) {
      expect(bytesOf(parts, 6, file).equals(bytesOf(whole, 6, file)), file).toBe(true);
    }
    // The comparison would not notice a student that does not move.
    expect(
      bytesOf(whole, 3, "adapter_model.safetensors").equals(
        bytesOf(whole, 6, "adapter_model.safetensors"),
      ),
    ).toBe(false);
    expect(readFileSync(join(from, "model.safetensors")).equals(before)).toBe(true);
    expect(existsSync(join(checkpointOf(whole, 6), "model.safetensors"))).toBe(false);
  });
});

test("the reference without the adapter stays what the student was", async () => {
  const folder = temporaryFolder();
  const student = { from: await baseFolder(folder), lora };
  const config = tinyRun(join(folder, "runs"), {
    ...{ ...trainers.pairs, student, evaluation: { every: 0, rows: 2 } },
  });
  await runToEnd(config);
  const rows = metricsOf(config).filter((row) => "gradNorm" in row);
  const [first, ...later] = rows.map(({ loss }) => loss as number);
  // At first nobody prefers anything: −log σ(0).
  expect(first).toBeCloseTo(Math.log(2), 5);
  expect(Math.min(...later)).toBeLessThan(0.69);
});

test("the run is a model wherever one is accepted: evaluated, as teacher, as student", async () => {
  const folder = temporaryFolder();
  const from = await baseFolder(folder);
  const first = tinyRun(join(folder, "first"), { student: { from, lora } });
  await runToEnd(first);
  const path = join(first.output, first.name);
  const { metrics } = await evaluateRun(await resolveEvaluation(path, []));
  const { step: _step, type: _type, version: _version, ...last } = metricsOf(first).at(-1) ?? {};
  expect(metrics).toEqual(last);

  // Its teacher is itself, so that the loss begins at 0.
  const second = tinyRun(join(folder, "second"), {
    student: { from: path },
    teacher: { from: path },
    trainer: { type: "distill", ...sizes, loss: [{ type: "forward-kl" }] },
  });
  await runToEnd(second);
  const step = metricsOf(second).find((row) => "gradNorm" in row) as Record<string, number>;
  expect(Math.abs(step["loss"] as number)).toBeLessThan(1e-6);
  const { model } = await loadModelFolder(checkpointOf(second, 6));
  using trained = model;
  expect(trained.adapters.active?.settings).toMatchObject({ rank: 2, baseModel: from });
});

describe("a mistake in a config is a clear error and leaves no run behind", () => {
  const cases: [string, (from: string) => object, RegExp][] = [
    [
      "a target that does not exist",
      (from) => ({ student: { from, lora: { rank: 2, targets: ["qproj"] } } }),
      /^student\.lora\.targets: The model has no projection "qproj"\. Did you mean "q_proj"/,
    ],
    [
      "too large a rank",
      (from) => ({ student: { from, lora: { rank: 64 } } }),
      /^student\.lora\.rank: is more than the rank of .* Choose at most 8/,
    ],
    [
      "a reference without the adapter, of a student that has none",
      (from) => ({ ...trainers.pairs, student: { from } }),
      /teacher\.adapter: The student has no adapter to leave out/,
    ],
    [
      "an average of what does not change",
      (from) => ({
        ...{ ...trainers.average, student: { from, lora } },
        teacher: { type: "self", adapter: "none", emaDecay: 0.9 },
      }),
      /teacher\.emaDecay: .*no past to average over/,
    ],
  ];
  test.each(cases)("%s", async (_name, changes, message) => {
    const folder = temporaryFolder();
    const config = tinyRun(join(folder, "runs"), changes(await baseFolder(folder)));
    await expect(runToEnd(config)).rejects.toThrow(message);
    expect(existsSync(join(folder, "runs"))).toBe(false);
  });

  test("an adapter on an adapter", async () => {
    const folder = temporaryFolder();
    const from = await baseFolder(folder);
    const first = tinyRun(join(folder, "first"), {
      ...{ student: { from, lora }, trainer: { type: "sft", ...sizes, steps: 1 } },
      evaluation: { every: 0, rows: 2 },
    });
    await runToEnd(first);
    const path = join(first.output, first.name);
    const second = tinyRun(join(folder, "second"), { student: { from: path, lora } });
    await expect(runToEnd(second)).rejects.toThrow(/student\.lora: .*is an adapter already/);
  });

  test.each([
    [{ architecture: { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 }, lora }, /lora/],
    [{ from: "x", lora: { rnak: 4 } }, /student\.lora.*rnak.*rank/],
    [{ from: "x", lora: { rank: 0 } }, /student\.lora\.rank/],
  ])("the schema: %j", (student, message) => {
    const given = tinyConfig("runs", { student });
    expect(() => parseConfig(runConfigSchema, given, "config")).toThrow(message);
  });
});
