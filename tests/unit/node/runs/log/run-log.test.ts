import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  differingParts,
  remainsOf,
  runUntil,
  tinyConfig,
} from "../../../../../scripts/faults/tiny-runs.js";
import { toJson, withNumbers } from "../../../../../src/node/index.js";
import { cutLog, type LogLine } from "../../../../../src/node/logs/log-file.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { compareStoppedRuns } from "../stopped-runs.js";

const rowsAt = (path: string) => readFileSync(path, "utf8");

test.each([
  [
    "rows of later steps and half a row",
    '{"step":1}\n{"step":2}\n{"step":3}\n{"st',
    '{"step":1}\n{"step":2}\n',
  ],
  ["half a row alone", '{"step":1', ""],
  ["nothing", '{"step":1}\n', '{"step":1}\n'],
  [
    "nothing but what is behind a damaged row",
    '{"step":1}\nxx\n{"step":2}\n{"step":9}\n',
    '{"step":1}\nxx\n{"step":2}\n',
  ],
  ["a last row that only looks whole", '{"step":1}\n{"step":2}', '{"step":1}\n'],
])("a log loses %s", async (_, before, after) => {
  const path = join(temporaryFolder(), "log.jsonl");
  writeFileSync(path, before);
  const seen: LogLine[] = [];
  await cutLog(
    path,
    ({ step }) => step <= 2,
    (row) => seen.push(row),
  );
  expect(rowsAt(path)).toBe(after);
  expect(seen.map(({ step }) => step)).toEqual(
    after.includes("2") ? [1, 2] : after === "" ? [] : [1],
  );
});

test("a log is read in pieces, with rows of several bytes a letter across their borders", async () => {
  const path = join(temporaryFolder(), "log.jsonl");
  const row = { step: 1, text: "ä€🙂".repeat(20_000) };
  writeFileSync(path, `${JSON.stringify(row)}\n`.repeat(3));
  const seen: LogLine[] = [];
  await cutLog(
    path,
    () => true,
    (found) => seen.push(found),
  );
  expect(seen).toEqual([row, row, row]);
});

test("numbers that JSON has no form for are strings, and numbers again", () => {
  const value = { a: [Infinity, -Infinity, 0.5], b: { c: Number.NaN, d: null, e: "x" } };
  expect(toJson(value)).toBe('{"a":["Infinity","-Infinity",0.5],"b":{"c":"NaN","d":null,"e":"x"}}');
  expect(withNumbers(JSON.parse(toJson(value)))).toEqual(value);
  // Of a file that is none of ours: it stays as it is, for a schema to refuse.
  const deep = `${"[".repeat(20_000)}"NaN"${"]".repeat(20_000)}`;
  expect(
    JSON.stringify([withNumbers(JSON.parse("[".repeat(9) + '"NaN"' + "]".repeat(9)))]),
  ).toContain("null");
  expect(() => withNumbers(JSON.parse(deep))).not.toThrow();
});

test("what lies a hundred levels deep is a number again, and nothing below", () => {
  const nested = (levels: number) =>
    withNumbers(JSON.parse(`${"[".repeat(levels)}"NaN"${"]".repeat(levels)}`));
  expect([nested(99), nested(100)].flat(100)).toEqual([NaN, NaN]);
  expect([nested(101)].flat(101)).toEqual(["NaN"]);
});

// At any event: run-log.slow.test.ts.
test("a run that is stopped at an event of each kind and resumed has the logs of one that was not", {
  timeout: 240_000,
}, async () => {
  await compareStoppedRuns(temporaryFolder(), (events) => {
    const last = new Map(events.map(({ type }, index) => [type, index]));
    return [...last.values()];
  });
});

test("a finished run that is resumed stays what it is; remains of earlier versions go", async () => {
  const config = tinyConfig(temporaryFolder());
  await runUntil(config, false);
  const before = remainsOf(config);
  const path = join(config.output, config.name);
  writeFileSync(join(path, "metrics.jsonl.1234"), "");
  appendFileSync(join(path, "completions.jsonl"), '{"step":9}\n{"st');
  const events = await runUntil(config, true);
  expect(events.map(({ type }) => type)).toEqual(["resumed", "finished"]);
  expect(differingParts(remainsOf(config), before)).toEqual([]);
});

test("an evaluation that failed is made up for when its checkpoint is resumed", async () => {
  const config = tinyConfig(temporaryFolder());
  await runUntil(config, false);
  const before = remainsOf(config);
  const path = join(config.output, config.name);
  const cut = (name: string, isGone: (row: object) => boolean) => {
    const lines = rowsAt(join(path, name)).split("\n").slice(0, -1);
    const kept = lines.filter((line) => !isGone(JSON.parse(line) as object));
    writeFileSync(join(path, name), kept.map((line) => `${line}\n`).join(""));
  };
  cut("metrics.jsonl", (row) => "heldOut.loss" in row && "step" in row && row.step === 5);
  rmSync(join(path, "summary.json"));
  await runUntil(config, true);
  expect(differingParts(remainsOf(config), before)).toEqual([]);
});

test("rows that are missing from the log are said to be", async () => {
  const config = tinyConfig(temporaryFolder());
  await runUntil(config, false);
  rmSync(join(config.output, config.name, "metrics.jsonl"));
  const [resumed] = await runUntil(config, true);
  expect(resumed).toMatchObject({
    notes: ["metrics.jsonl has 0 of the 5 steps that are done: the summary counts only those."],
  });
});

test("more steps for a finished run: what becomes of the learning rate, and the config keeps it", async () => {
  const output = temporaryFolder();
  const trainer = (steps: number) => ({
    trainer: { type: "sft", steps, batchSize: 2, learningRate: 0.01, schedule: "linear" },
  });
  await runUntil(tinyConfig(output, trainer(3)), false);
  const longer = tinyConfig(output, trainer(6));
  const [resumed] = await runUntil(longer, true);
  expect(resumed).toMatchObject({
    notes: [
      "trainer.steps is 6 now and was 3. The linear schedule is that of 6 steps from here on: " +
        "the learning rate was 0.001 at step 3 and is 0.0046 at step 4, and ends at 0.001.",
    ],
  });
  expect(remainsOf(longer).summary).toMatchObject({ steps: 6 });
  const stored = JSON.parse(rowsAt(join(output, "tiny", "config.json"))) as object;
  expect(stored).toMatchObject({ trainer: { steps: 6 }, versions: {} });
  await expect(runUntil(tinyConfig(output, trainer(5)), true)).rejects.toThrow(
    "trainer.steps: is 5, but 6 steps are done.",
  );
  expect(existsSync(join(output, "tiny", "run.lock"))).toBe(false);
});
