/** What a run has that its trainer cannot use, before anything of it is made; and what it says beforehand. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noOwnComponents } from "../../../../../src/config/index.js";
import { byteTokenizer } from "../../../../../src/data/index.js";
import { dataOnDisk } from "../../../../../src/node/files/data-on-disk.js";
import { buildRun } from "../../../../../src/node/index.js";
import { prepareRunData } from "../../../../../src/node/runs/models/assemble-models.js";
import { runToEnd, stepsOf, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

function rowsFile(rows: readonly object[]): string {
  const path = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

const few = { steps: 1, batchSize: 2 };
const evaluation = { every: 0, rows: 1 };
const prompts = Array.from({ length: 8 }, (_, i) => ({ prompt: `${i}+1=` }));
const answered = prompts.map((row, i) => ({ ...row, completion: `${i + 1}` }));

async function refusal(changes: object): Promise<string> {
  const output = temporaryFolder();
  const error = await runToEnd(tinyRun(output, { evaluation, ...changes })).catch((e: Error) => e);
  if (!(error instanceof Error)) return "accepted";
  expect(existsSync(join(output, "tiny"))).toBe(false);
  return error.message;
}

describe("data that a trainer cannot learn from", () => {
  const name = "Name the field with the completions (data.fields.completion).";
  const distill = { type: "distill", ...few, loss: [{ type: "reverse-kl" }] };
  const replay = { threshold: 0.5, every: 1 };

  test.each([
    [
      { type: "sft", ...few },
      `sft learns completions. ${name} Use the "distill" trainer, whose students write them.`,
    ],
    [
      { ...distill, onPolicyFraction: 0.25 },
      `with trainer.onPolicyFraction 0.25 rows of the data are learned. ${name} Set trainer.onPolicyFraction to 1.`,
    ],
    [
      { ...distill, replay },
      `with trainer.replay rows of the data are learned. ${name} Leave it out.`,
    ],
  ])("prompts alone: %j", async (trainer, wants) => {
    const data = { type: "jsonl", path: rowsFile(prompts) };
    const teacher = { type: "hidden-markov", states: 2 };
    const taught = trainer.type === "distill" ? { teacher } : {};
    expect(await refusal({ data, trainer, ...taught })).toBe(
      `data: The rows have prompts only, and ${wants}`,
    );
  });

  test("no pairs, no lists, no problems", async () => {
    const data = { type: "jsonl", path: rowsFile(answered) };
    expect(
      await refusal({ data, trainer: { type: "pairs", ...few, loss: [{ type: "redi" }] } }),
    ).toBe(
      'data: The data has no pairs of answers, which the pairs trainer learns from. Use rows with two answers (data.type "pairs") or a task.',
    );
    const loss = [{ type: "candidate-cross-entropy", scores: "relevance" }];
    expect(await refusal({ data, trainer: { type: "rank", ...few, loss } })).toBe(
      'data: The data has no lists of candidates, which the rank trainer scores. Use TREC files (data.type "rerank") or the task "rerank".',
    );
    expect(await refusal({ data, trainer: { type: "reinforce", ...few } })).toBe(
      "data: The data has no problems whose answers can be verified, which reinforce learns from. Use a task, or rows with answers and a verifier.",
    );
  });

  test.each([
    [
      { replay: { ...replay, capacity: 1 } },
      "trainer.replay.capacity: keeps fewer rows than a step has. Set it to 2",
    ],
    [{ replay, onPolicyFraction: 0.5 }, "trainer.onPolicyFraction: has no effect with a replay"],
  ])("a replay that cannot be: %j", async (change, message) => {
    const data = { type: "jsonl", path: rowsFile(answered) };
    const teacher = { type: "hidden-markov", states: 2 };
    expect(await refusal({ data, teacher, trainer: { ...distill, ...change } })).toContain(message);
  });

  test("a replay without a held-out completion whose loss it could go by", async () => {
    const data = { type: "jsonl", path: rowsFile(answered) };
    const teacher = { type: "hidden-markov", states: 2 };
    const held = { type: "jsonl", path: rowsFile(prompts) };
    const trainer = { ...distill, replay };
    const on = (sets: object) =>
      refusal({ data, teacher, trainer, evaluation: { ...evaluation, data: sets } });
    expect(await on(held)).toBe(
      "trainer.replay: there is no held-out completion whose loss a replay could go by. Evaluate on data with completions, or leave it out.",
    );
    expect(await on(data)).toBe("accepted");
  });
});

describe("losses that a trainer cannot give what they need", () => {
  const taught = { teacher: { type: "hidden-markov", states: 2 } };
  test.each([
    ["sft", {}, [{ type: "reverse-kl" }], /teacher/],
    ["sft", {}, [{ type: "dpo" }], /dpo/],
    ["distill", taught, [{ type: "redi" }], /redi/],
    ["pairs", {}, [{ type: "dpo" }], /dpo.*reference/is],
    ["pairs", taught, [{ type: "cross-entropy" }], /cross-entropy/],
    ["rank", {}, [{ type: "list-kl", scores: "teacher" }], /learns a teacher.s scores/],
  ])("%s %j with %j", async (type, more, loss, message) => {
    const data = { type: "task", task: { type: "rerank", topics: 4, synonyms: 1, candidates: 3 } };
    const changes = { ...more, trainer: { type, ...few, loss }, ...(type === "rank" && { data }) };
    expect(await refusal(changes)).toMatch(message);
  });
});

describe("a run of a policy", () => {
  test("has its teacher write where a sampler asks it to", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const config = tinyRun(folder, {
      ...{ evaluation, teacher: { from }, student: { from } },
      trainer: {
        ...{ type: "reinforce", ...few, maxNewTokens: 4, rewards: [{ type: "length" }] },
        sampler: { type: "teacher-mixed", samplesPerProblem: 2 },
      },
    });
    await runToEnd(config);
    expect(stepsOf(config)[0]?.cost?.teacherForwards).toBeGreaterThan(0);
    // One that is not a model cannot.
    const markov = { teacher: { type: "hidden-markov", states: 2 } };
    expect(await refusal({ ...markov, trainer: config.trainer })).toMatch(/sampler/);
  });
});

describe("what is said before a run", () => {
  test("of its data, its student and its losses, in that order", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const config = tinyRun(folder, {
      ...{ evaluation, teacher: { from }, data: { type: "jsonl", path: rowsFile(answered) } },
      trainer: {
        ...{ type: "distill", ...few, maxNewTokens: 100 },
        loss: [{ type: "sampled-reverse-kl", estimator: "k1-no-gradient" }, { type: "reverse-kl" }],
      },
    });
    using parts = await buildRun(config, undefined);
    const places = [
      /8 rows/,
      /cut off: of the context of 32/,
      /^Student: [\d,]+ parameters/,
      /^Caution: the loss sampled-reverse-kl: /,
    ];
    const found = places.map((place) => parts.notes.findIndex((note) => place.test(note)));
    expect(found.every((at) => at >= 0)).toBe(true);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(parts.notes.filter((note) => note.startsWith("Caution"))).toHaveLength(1);
    expect([parts.lossStates, parts.replay, parts.projections]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(parts.dataReport).toMatchObject({ trainingRows: 7, validationRows: 1 });
    expect(parts.teacherManifest).toMatchObject({ teacher: { kind: "model" } });
  });

  test("a teacher that lacks rows of the data is asked before, of rows that are learned alone", async () => {
    const folder = temporaryFolder();
    const config = tinyRun(folder, { evaluation });
    using parts = await buildRun(config, undefined);
    await parts.checkData();
    expect(parts.teacher).toBeUndefined();
    expect((await parts.fingerprint()).sha256).toMatch(/^[\da-f]{64}$/);
  });
});

describe("the rows of a run", () => {
  const kept = async (contexts: { teacher?: number; student?: number }, positions?: number) => {
    const path = rowsFile([1, 5, 9, 13].map((n) => ({ prompt: "a", completion: "b".repeat(n) })));
    const run = tinyRun("runs", {
      ...{ data: { type: "jsonl", path, longRows: "drop", validationFraction: 0.25 } },
      ...(positions && {
        student: {
          architecture: {
            family: "llama",
            hiddenSize: 8,
            numLayers: 1,
            numHeads: 2,
            maxPositions: positions,
          },
        },
      }),
    });
    const parts = { files: dataOnDisk(), components: noOwnComponents };
    const { teacher, student } = contexts;
    const data = await prepareRunData(run, byteTokenizer(), parts, { teacher, student });
    const { trainingRows = 0, validationRows = 0 } = data.report ?? {};
    data.dispose?.();
    return trainingRows + validationRows;
  };

  test("are those that every model has room for: a loaded one's, else what the config says", async () => {
    expect(await kept({})).toBe(4);
    const byTeacher = await kept({ teacher: 8 });
    expect(byTeacher).toBeLessThan(4);
    expect(await kept({ student: 8 })).toBe(byTeacher);
    expect(await kept({ student: 12, teacher: 8 })).toBe(byTeacher);
    expect(await kept({ student: 8, teacher: 12 })).toBe(byTeacher);
    expect(await kept({}, 8)).toBe(byTeacher);
    expect(await kept({ student: 64 }, 8)).toBe(4);
  });
});

test("a summary tells what a run has come to, the adapter's parameters apart", async () => {
  const folder = temporaryFolder();
  const from = await saveTinyTeacher(folder);
  const lora = { rank: 1, targets: ["q_proj"] };
  const config = tinyRun(folder, {
    ...{ evaluation, student: { from, lora }, trainer: { type: "sft", ...few } },
  });
  await runToEnd(config);
  const read = (name: string) =>
    JSON.parse(readFileSync(join(folder, "tiny", name), "utf8")) as Record<string, unknown>;
  const summary = read("summary.json");
  expect(summary).toMatchObject({ name: "tiny", trainedParameters: 16, steps: 1 });
  expect(summary["parameters"]).toBeGreaterThan(500);
  expect(summary).not.toHaveProperty("data");
  expect(read("config.json")).toMatchObject({
    name: "tiny",
    versions: { node: process.versions.node },
  });
  expect(read("data.json")).toEqual({ sha256: expect.stringMatching(/^[\da-f]{64}$/) as string });
});
