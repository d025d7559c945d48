import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluateRun, resolveEvaluation } from "../../../../../src/node/index.js";
import { metricsOf, runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

test("a run tells of a known failure, once, and keeps it in its log", async () => {
  const folder = temporaryFolder();
  const teacher = await saveTinyTeacher(folder);
  // A student that is its teacher: no token is better or worse than expected.
  const run = tinyRun(folder, {
    teacher: { from: teacher },
    student: { from: teacher },
    trainer: { type: "distill", steps: 8, batchSize: 4, loss: [{ type: "policy-gradient" }] },
    evaluation: { every: 0, rows: 4 },
  });
  const events = await runToEnd(run);
  const warnings = events.filter((event) => event.type === "warning");
  expect(warnings.map(({ warning }) => warning)).toEqual([
    {
      warning: "zero-variance-advantages",
      step: 5,
      message: expect.stringMatching(/^Step 5: all advantages are equal/) as string,
      remedy: expect.stringContaining("samplingTemperature") as string,
    },
  ]);
  expect(metricsOf(run).filter(({ type }) => type === "warning")).toEqual(
    warnings.map(({ warning }) => ({ version: 2, type: "warning", ...warning })),
  );
});

test("a loss that teaches nothing is said before the run begins", async () => {
  const folder = temporaryFolder();
  const teacher = await saveTinyTeacher(folder);
  const notesOf = async (name: string, estimator: string) => {
    const run = tinyRun(folder, {
      ...{ name, teacher: { from: teacher } },
      trainer: {
        ...{ type: "distill", steps: 1, batchSize: 2 },
        loss: [{ type: "sampled-reverse-kl", estimator }],
      },
      evaluation: { every: 0, rows: 2 },
    });
    const [started] = await runToEnd(run);
    return started?.type === "started" ? started.notes.filter((note) => /Caution/.test(note)) : [];
  };
  expect(await notesOf("k1", "k1-no-gradient")).toEqual([
    expect.stringMatching(/sampled-reverse-kl: the gradient of k1 is 0 on average/),
  ]);
  expect(await notesOf("k2", "k2")).toEqual([]);
});

test("problems of which no group has any variance are told of", async () => {
  const run = tinyRun(temporaryFolder(), {
    // Two tokens are never a worked addition.
    data: { type: "task", task: { type: "addition", maxDigits: 2 } },
    trainer: {
      ...{ type: "reinforce", steps: 11, batchSize: 2, maxNewTokens: 2 },
      sampler: { type: "plain", samplesPerProblem: 2 },
    },
    evaluation: { every: 0, rows: 2 },
  });
  const events = await runToEnd(run);
  const warnings = events.flatMap((event) => (event.type === "warning" ? [event.warning] : []));
  expect(warnings).toMatchObject([
    {
      ...{ warning: "degenerate-groups", step: 10 },
      message: expect.stringMatching(
        /all completions of every problem have the same reward/,
      ) as string,
      remedy: expect.stringMatching(/Where all are wrong: train on the data first/) as string,
    },
  ]);
});

test("settings that ask for more than there is are said before the run begins, and of evaluations too", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "rows.jsonl");
  const rows = Array.from({ length: 10 }, (_, i) => ({
    prompt: `${i}+1=`,
    completion: `${i + 1}`,
  }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  const run = tinyRun(folder, {
    data: { type: "jsonl", path },
    trainer: { type: "sft", steps: 1, batchSize: 64 },
    evaluation: { every: 0, rows: 50 },
  });
  const [started] = await runToEnd(run);
  const ofEvaluation = "evaluation.rows is 50, but heldOut has 1 row.";
  expect(started?.type === "started" && started.notes).toEqual(
    expect.arrayContaining([
      "trainer.batchSize is 64, but there are 9 rows to train on: a step has the same ones several times.",
      ofEvaluation,
    ]),
  );
  const { notes } = await evaluateRun(await resolveEvaluation(join(folder, "tiny"), []));
  expect(notes).toContain(ofEvaluation);
  expect(notes.join()).not.toContain("trainer.");
});
