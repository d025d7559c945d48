import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluateRun, resolveEvaluation } from "../../../../src/node/index.js";
import { tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

test("a student is measured against another teacher than its trainer's loss could use", async () => {
  const folder = temporaryFolder();
  const from = await saveTinyTeacher(folder);
  const run = tinyRun(folder, {
    student: { from },
    // sparse-kl would need its topK.
    teacher: { from },
    trainer: { type: "distill", steps: 2, batchSize: 2, loss: [{ type: "sparse-kl" }] },
  });
  const { metrics, correct, notes } = await evaluateRun(run);
  // Every verdict of the sets that have any, as many as there are rows.
  expect(Object.keys(correct)).toEqual(["heldOut", "longer"]);
  for (const [set, verdicts] of Object.entries(correct)) {
    expect(verdicts).toHaveLength(4);
    expect(verdicts.filter((isRight) => isRight).length / 4).toBe(metrics[`${set}.accuracy`]);
  }
  expect(notes.join(" ")).not.toContain("cut off");
  expect(Math.abs(metrics["heldOut.reverseKl"] as number)).toBeLessThan(1e-5);
  expect(metrics["heldOut.loss"]).toBeGreaterThan(1);
});

test("a config that is not there, and one that was not trained, are said by name", async () => {
  const path = join(temporaryFolder(), "none.json");
  await expect(resolveEvaluation(path, [])).rejects.toThrow(/run config/);
});

test("completions that the context cuts are said, with numbers; those of training are not asked for", async () => {
  const folder = temporaryFolder();
  const from = await saveTinyTeacher(folder);
  const notesOf = async (changes: object) => {
    const run = tinyRun(folder, { student: { from }, teacher: { from }, ...changes });
    return (await evaluateRun(run)).notes.filter((note) => note.includes("cut off"));
  };
  const loss = [{ type: "reverse-kl" }];
  const trainer = { type: "distill", steps: 1, batchSize: 2, loss, maxNewTokens: 1000 };
  expect(await notesOf({ evaluation: { rows: 2, maxNewTokens: 2 }, trainer })).toEqual([]);
  expect(await notesOf({ evaluation: { rows: 2, maxNewTokens: 1000 } })).toEqual([
    expect.stringMatching(/of the context of \d+ tokens .* leaves \d+ of the 1000 new tokens/),
  ]);
});

test("a model folder is no run: what to give instead is said", async () => {
  const root = temporaryFolder();
  const folder = await saveTinyTeacher(root);
  await expect(resolveEvaluation(folder, [])).rejects.toThrow(
    `${folder}: This is the folder of a model, not of a run: it names no data. Give a run config or a run folder, and the model beside it: pupil evaluate <config> model=${folder}.`,
  );
  const checkpoint = await saveTinyTeacher(join(root, "runs/mine/checkpoints"), { name: "step-3" });
  await expect(resolveEvaluation(checkpoint, [])).rejects.toThrow(
    `pupil evaluate ${root}/runs/mine model=${checkpoint}.`,
  );
});
