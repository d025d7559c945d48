import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toJson } from "../../../../src/node/index.js";
import { lastRows } from "../../../../src/node/logs/last-rows.js";
import { lineOf, readLog } from "../../../../src/node/logs/log-file.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const stepLine = (step: number, more: object = {}) =>
  `${toJson(lineOf({ type: "step", step, values: { loss: step, ...more } }))}\n`;
const evaluationLine = (step: number) =>
  `${toJson(lineOf({ type: "evaluation", step, values: { "heldOut.loss": Infinity } }))}\n`;

test("a log is read with what is no row counted, and without the line that is being written", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  writeFileSync(path, `${evaluationLine(0)}${stepLine(1)}xx\n{"version":2,"type":"step"}\n{"ver`);
  const { rows, unreadable } = await readLog(path);
  expect(rows).toMatchObject([
    { type: "evaluation", step: 0, values: { "heldOut.loss": Infinity } },
    { type: "step", step: 1, values: { loss: 1 } },
  ]);
  expect(unreadable).toBe(2);
});

test("the last rows are found from the end, across the borders of what is read at once", async () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  const long = Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`diagnostics.${i}`, i]));
  writeFileSync(path, evaluationLine(3));
  for (let step = 4; step < 8; step++) appendFileSync(path, stepLine(step, long));
  appendFileSync(path, '{"version":2,"type":"step","step":8');
  const found = await lastRows(path, ["step", "evaluation"]);
  expect(found.step).toMatchObject({ step: 7, values: { loss: 7, "diagnostics.5999": 5999 } });
  expect(found.evaluation?.step).toBe(3);
  // The row of the evaluation lies further back than that.
  const near = await lastRows(path, ["step", "evaluation"], 250_000);
  expect([near.step?.step, near.evaluation]).toEqual([7, undefined]);
  writeFileSync(path, "");
  expect(await lastRows(path, ["step"])).toEqual({});
});
