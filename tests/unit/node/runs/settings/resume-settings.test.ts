/** Which settings a run may go on with, and what the words of a command become. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveEvaluation, resolveTraining } from "../../../../../src/node/index.js";
import { resolveRunConfig } from "../../../../../src/node/runs/evaluate-run.js";
import { tinyConfig, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

/** A run folder with the config of a run, which nothing was trained of. */
function runWith(changes: object = {}): { path: string; file: string } {
  const folder = temporaryFolder();
  const path = join(folder, "tiny");
  mkdirSync(join(path, "checkpoints"), { recursive: true });
  const config = tinyRun(folder, changes);
  writeFileSync(join(path, "config.json"), JSON.stringify({ ...config, versions: { pupil: "0" } }));
  const file = join(folder, "run.json");
  writeFileSync(file, JSON.stringify(config));
  return { path, file };
}

const distilled = {
  teacher: { type: "hidden-markov", states: 2 },
  trainer: { type: "distill", steps: 6, loss: [{ type: "reverse-kl" }] },
};

describe("a run goes on", () => {
  test.each([
    "trainer.steps=9",
    "evaluation.every=1",
    "evaluation.rows=7",
    "checkpoint.keep=1",
    "checkpoint.every=1",
    "backend=wasm",
    "output=elsewhere",
  ])("with %s", async (word) => {
    const { path } = runWith();
    const training = await resolveTraining(undefined, [`resume=${path}`, word]);
    expect(training).toMatchObject({ path, resume: true, newTeacher: false, notes: [] });
    const [field, value] = word.split("=") as [string, string];
    const at = field
      .split(".")
      .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], training.config);
    expect(String(at)).toBe(value);
  });

  test.each([
    ["name=other", "name"],
    ["seed=7", "seed"],
    ["trainer.batchSize=2", "trainer.batchSize"],
    ["trainer.learningRate=0.5", "trainer.learningRate"],
    ["data.task.maxDigits=2", "data.task.maxDigits"],
    ["student.architecture.numLayers=2", "student.architecture.numLayers"],
    // A field whose name only begins like one that may change.
    ["tokenizer.type=byte", "tokenizer"],
  ])("and not with %s, which is named", async (word, field) => {
    const { path } = runWith();
    await expect(resolveTraining(undefined, [`resume=${path}`, word])).rejects.toThrow(
      `${path}: The run began with another ${field}. Leave it as it was, or start a new run. When resuming you can change: trainer.steps, evaluation, checkpoint, backend, output; with newTeacher=true also teacher.`,
    );
  });

  test("and says all that is another", async () => {
    const { path } = runWith();
    await expect(
      resolveTraining(undefined, [`resume=${path}`, "seed=7", "trainer.batchSize=2"]),
    ).rejects.toThrow("another seed, trainer.batchSize.");
  });

  test("with another teacher where that is meant, and only with that", async () => {
    const { path } = runWith(distilled);
    const words = [`resume=${path}`, "teacher.states=3"];
    await expect(resolveTraining(undefined, words)).rejects.toThrow("another teacher.states.");
    const meant = [...words, "newTeacher=true"];
    expect(await resolveTraining(undefined, meant)).toMatchObject({
      ...{ newTeacher: true, config: { teacher: { states: 3 } } },
    });
    await expect(resolveTraining(undefined, [...meant, "seed=7"])).rejects.toThrow(
      /another seed\. .* you can change: trainer\.steps, evaluation, checkpoint, backend, output\.$/,
    );
    const scores = { type: "file", path: "one.trec" };
    const trainer = { type: "rank", steps: 1, scores, loss: [{ type: "list-kl" }] };
    const ranks = runWith({ trainer });
    const other = [`resume=${ranks.path}`, "trainer.scores.path=two.trec"];
    await expect(resolveTraining(undefined, other)).rejects.toThrow("another trainer.scores.path.");
    const { config } = await resolveTraining(undefined, [...other, "newTeacher=true"]);
    expect(config.trainer).toMatchObject({ scores: { path: "two.trec" } });
  });

  test("by its config file too, as the first word or as a word among others", async () => {
    const { path, file } = runWith();
    for (const [first, words] of [
      [file, [`resume=${path}`]],
      [`resume=${path}`, []],
    ] as const) {
      const training = await resolveTraining(first, words);
      expect(training).toMatchObject({ path, resume: true, config: { name: "tiny" } });
    }
    writeFileSync(file, JSON.stringify(tinyRun(join(path, ".."), { seed: 9 })));
    await expect(resolveTraining(file, [`resume=${path}`])).rejects.toThrow("another seed.");
    writeFileSync(file, JSON.stringify({ ...tinyRun(join(path, "..")), seed: "x" }));
    await expect(resolveTraining(file, [`resume=${path}`])).rejects.toThrow(`${file}: seed is "x"`);
  });

  test("if its folder holds a run", async () => {
    const folder = temporaryFolder();
    await expect(resolveTraining(undefined, [`resume=${folder}`])).rejects.toThrow(
      `${folder}: There is no run in this folder (no config.json). Give the run's own folder, such as runs/<name>.`,
    );
    const { path } = runWith();
    writeFileSync(join(path, "config.json"), JSON.stringify({ name: "tiny" }));
    await expect(resolveTraining(undefined, [`resume=${path}`])).rejects.toThrow(
      `${join(path, "config.json")}: `,
    );
  });
});

describe("a new run", () => {
  test("has the path of its output and its name", async () => {
    const { file } = runWith();
    const training = await resolveTraining(file, ["name=mine", "output=there", "seed=3"]);
    expect(training).toMatchObject({
      ...{ path: join("there", "mine"), resume: false, newTeacher: false, notes: [] },
      config: { name: "mine", output: "there", seed: 3 },
    });
    expect(await resolveTraining(file, ["newTeacher=true"])).toMatchObject({ newTeacher: true });
  });

  test("needs a config", async () => {
    for (const [first, words] of [
      [undefined, []],
      ["seed=3", ["name=x"]],
    ] as const) {
      await expect(resolveTraining(first, words)).rejects.toThrow(
        "No run config was given. Use: pupil train <config.json> [key=value …], or pupil train resume=<run folder>.",
      );
    }
  });
});

describe("what is measured", () => {
  test("is the student of a run folder, of a config that was trained, or the model that is named", async () => {
    const { path, file } = runWith();
    expect((await resolveEvaluation(path, [])).student).toEqual({ from: path });
    expect((await resolveEvaluation(file, [])).student).toEqual({ from: path });
    const named = await resolveEvaluation(path, ["model=other", "seed=3"]);
    expect(named).toMatchObject({ student: { from: "other" }, seed: 3 });
    await expect(resolveEvaluation(file, ["name=untrained"])).rejects.toThrow(
      `${join(path, "../untrained")}: This config has not been trained yet: there is no such run folder. Train it first, or name the model to measure: model=<folder>.`,
    );
    expect((await resolveEvaluation(file, ["name=x", "model=other"])).student.from).toBe("other");
  });

  test("knows a run folder from a config file", async () => {
    const { path, file } = runWith();
    expect(await resolveRunConfig(path, ["seed=3"])).toMatchObject({
      ...{ isRun: true, config: { seed: 3 } },
    });
    expect(await resolveRunConfig(file, [])).toMatchObject({ isRun: false, config: { seed: 1 } });
    await expect(resolveRunConfig(path, ["sed=3"])).rejects.toThrow(
      `${join(path, "config.json")}: `,
    );
    writeFileSync(file, `// mine\n${JSON.stringify(tinyConfig("runs"))}`);
    expect((await resolveRunConfig(file, [])).config.output).toBe("runs");
  });
});
