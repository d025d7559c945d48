import { appendFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toJson } from "../../../../src/node/index.js";
import { followLog } from "../../../../src/node/logs/follow-log.js";
import { lineOf, type NewLogRow } from "../../../../src/node/logs/log-file.js";
import { readEnds } from "../../../../src/node/logs/read-ends.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const lineFor = (row: NewLogRow) => `${toJson(lineOf(row))}\n`;
const stepLine = (step: number) => lineFor({ type: "step", step, values: { loss: step } });
const stepsIn = (steps: readonly { readonly step: number }[]) => steps.map(({ step }) => step);

test("a log is followed as it grows, is cut by a resumed run, and vanishes", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  const follower = followLog(path);
  expect(await follower.update()).toBe(false);
  expect(follower.log).toMatchObject({ steps: [], others: [], every: 1, unreadable: 0 });

  writeFileSync(
    path,
    `${lineFor({ type: "evaluation", step: 0, values: {} })}${stepLine(1)}xx\n{"ver`,
  );
  expect(await follower.update()).toBe(true);
  expect(stepsIn(follower.log.steps)).toEqual([1]);
  expect(follower.log).toMatchObject({ others: [{ type: "evaluation" }], unreadable: 1 });
  expect(await follower.update()).toBe(false);

  // The half line is made whole.
  appendFileSync(path, `sion":9}\n${stepLine(2)}`.replace('"version":9', '"version":2'));
  await follower.update().catch(() => undefined);
  writeFileSync(path, [1, 2, 3].map(stepLine).join(""));
  expect(await follower.update()).toBe(true);
  expect(stepsIn(follower.log.steps)).toEqual([1, 2, 3]);

  truncateSync(path, stepLine(1).length);
  appendFileSync(path, [20, 30, 40, 50].map(stepLine).join(""));
  expect(await follower.update()).toBe(true);
  expect(stepsIn(follower.log.steps)).toEqual([1, 20, 30, 40, 50]);
  expect(follower.log.lastStep?.step).toBe(50);

  rmSync(path);
  expect(await follower.update()).toBe(true);
  expect(follower.log.steps).toEqual([]);
});

test("a long log is thinned out, whether it is read at once or grows", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  const all = Array.from({ length: 100 }, (_, i) => stepLine(i + 1));
  writeFileSync(path, all.join(""));
  const atOnce = followLog(path, 10);
  await atOnce.update();
  expect(atOnce.log.every).toBe(8);
  expect(stepsIn(atOnce.log.steps)).toEqual([1, 9, 17, 25, 33, 41, 49, 57, 65, 73, 81, 89, 97]);
  expect(atOnce.log.lastStep?.values).toEqual({ loss: 100 });
  writeFileSync(path, "");
  const growing = followLog(path, 10);
  for (const line of all) {
    appendFileSync(path, line);
    await growing.update();
  }
  expect(growing.log).toEqual(atOnce.log);
});

test("steps of the first format are steps", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  writeFileSync(path, '{"step":1,"loss":2,"terms":{}}\n');
  const follower = followLog(path);
  await follower.update();
  expect(follower.log.steps[0]?.values).toEqual({ loss: 2 });
  expect(follower.log.lastStep?.step).toBe(1);
});

test("of a large file the whole lines of both ends are read", async () => {
  const path = join(temporaryFolder(), "a.jsonl");
  expect(await readEnds(path)).toEqual([]);
  writeFileSync(path, "one\ntwo\nthree\nfour\nfi");
  expect(await readEnds(path)).toEqual(["one", "two", "three", "four"]);
  expect(await readEnds(path, 9)).toEqual(["one", "two", "four"]);
});
