import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadModelFolder } from "../../../../src/node/index.js";
import {
  enumerateKl,
  hiddenMarkovLanguage,
  languageLogProbs,
  modelLogProbs,
  randomHiddenMarkovModel,
} from "../../../../src/teachers/index.js";
import { metricsOf, runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const trainer = {
  type: "distill",
  steps: 2,
  batchSize: 4,
  loss: [{ type: "reverse-kl" }],
};
const evaluation = { every: 0, rows: 2 };

function textRun(teacher: object, changes: object = {}) {
  const folder = temporaryFolder();
  const path = join(folder, "input.txt");
  writeFileSync(path, "to be, or not to be, that is the question. ".repeat(10));
  return tinyRun(join(folder, "runs"), {
    data: { type: "text", path, sequenceLength: 8, promptLength: 2 },
    teacher: { ...teacher, ...("path" in teacher ? { path } : {}) },
    trainer,
    evaluation,
    ...changes,
  });
}

describe("a run with a teacher whose distribution is known", () => {
  test.each([
    { type: "n-gram", path: "", order: 2 },
    { type: "n-gram", path: "", order: 3, separator: ". ", smoothing: { type: "add-k", k: 0.5 } },
    { type: "hidden-markov", states: 3 },
    { type: "bimodal", offsets: [2, 9] },
  ])("learns from $type", async (teacher) => {
    const config = textRun(teacher);
    const events = await runToEnd(config);
    const notes = events.flatMap((event) => (event.type === "started" ? event.notes : []));
    expect(notes.join("\n")).toMatch(/Teacher: /);
    const last = metricsOf(config).at(-1);
    expect(last?.["heldOut.forwardKl"]).toBeGreaterThan(0);
  });

  test("comes nearer to it, as the true KL between sequences says", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "input.txt");
    writeFileSync(path, "abcdabdc".repeat(20));
    const model = { states: 2, seed: 3, transitionSharpness: 1, emissionSharpness: 2 };
    const options = { ...model, vocabSize: 4 };
    const teacher = languageLogProbs(hiddenMarkovLanguage(randomHiddenMarkovModel(options)));
    const distanceAfter = async (steps: number) => {
      const config = tinyRun(join(folder, `after-${steps}`), {
        data: { type: "text", path, sequenceLength: 6, promptLength: 1 },
        teacher: { type: "hidden-markov", ...model },
        trainer: { ...trainer, loss: [{ type: "forward-kl" }], steps, learningRate: 0.05 },
        evaluation,
      });
      await runToEnd(config);
      const checkpoint = join(config.output, config.name, "checkpoints", `step-${steps}`);
      using student = (await loadModelFolder(checkpoint)).model;
      const space = { vocabSize: 4, length: 5, prompt: [0] };
      return await enumerateKl(teacher, modelLogProbs(student), space);
    };
    const [before, after] = [await distanceAfter(1), await distanceAfter(20)];
    expect(before.forwardKl).toBeGreaterThan(0.3);
    expect(after.forwardKl).toBeLessThan(0.5 * before.forwardKl);
    expect(after.reverseKl).toBeLessThan(0.5 * before.reverseKl);
    for (const value of after.forwardByPosition) expect(value).toBeGreaterThan(0);
  });

  test("names mistakes", async () => {
    const run = (teacher: object) => runToEnd(textRun(teacher));
    const missing = tinyRun(join(temporaryFolder(), "runs"), {
      teacher: { type: "n-gram", path: "no-such-text.txt" },
      trainer,
    });
    await expect(runToEnd(missing)).rejects.toThrow(
      /no-such-text\.txt: The text of the n-gram teacher does not exist/,
    );
    await expect(run({ type: "bimodal", offsets: [3, 3] })).rejects.toThrow(
      /teacher\.offsets: 3 and 3 are one place on a ring of \d+ ids/,
    );
    expect(() => textRun({ type: "hidden-markov", state: 3 })).toThrow(
      /teacher\.state is not a field\. Did you mean "states"/,
    );
    await expect(run({ type: "hidden-markov", topK: 99 })).rejects.toThrow(
      /teacher\.topK: is 99, more than the teacher's vocabulary/,
    );
  });
});
