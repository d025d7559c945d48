import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { byteTokenizer } from "../../../../src/data/index.js";
import { readTraces, tokenTracer } from "../../../../src/node/logs/traces.js";
import { runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** A run that learns from a student trained before. */
async function distilled(changes: object, more: object = {}) {
  const output = join(temporaryFolder(), "runs");
  await runToEnd(tinyRun(output, { name: "teacher", evaluation: { every: 0, rows: 2 } }));
  const run = (name: string) =>
    tinyRun(output, {
      ...{ name, teacher: { from: join(output, "teacher") } },
      trainer: { type: "distill", steps: 6, batchSize: 2, loss: [{ type: "reverse-kl" }] },
      evaluation: { every: 3, rows: 4, ...changes },
      ...more,
    });
  return run;
}

test("an evaluation keeps how both models see the first completions; a stopped run has the same", async () => {
  const run = await distilled({ traces: 2 });
  const [whole, parts] = [run("whole"), run("parts")];
  await runToEnd(whole);
  const file = (config: typeof whole) => join(config.output, config.name, "traces.jsonl");
  const rows = await readTraces(file(whole));
  const places = rows.map(({ step, set }) => `${set} ${step}`);
  expect(places).toEqual(
    [0, 3, 6].flatMap((step) =>
      ["heldOut", "heldOut", "longer", "longer"].map((s) => `${s} ${step}`),
    ),
  );
  const [token] = rows[0]?.tokens ?? [];
  expect(token?.student).toHaveLength(5);
  expect(token?.teacher).toHaveLength(5);
  expect(token?.forwardKl).toBeGreaterThan(0);
  const completions = readFileSync(join(whole.output, "whole", "completions.jsonl"), "utf8");
  const first = JSON.parse(completions.split("\n")[0] as string) as Record<string, string>;
  expect(rows[0]?.prompt).toBe(first["prompt"]);
  const written = (rows[0]?.tokens ?? []).map(({ text }) => text).join("");
  expect(written.startsWith(first["completion"] as string)).toBe(true);

  await runToEnd(parts, { stopAfter: 4 });
  appendFileSync(file(parts), '{"version":1,"step":6');
  await runToEnd(parts, { resume: true });
  expect(readFileSync(file(parts), "utf8")).toBe(readFileSync(file(whole), "utf8"));
});

test("there is no such file unless it is asked for", async () => {
  const config = (await distilled({}))("plain");
  await runToEnd(config);
  const path = join(config.output, "plain", "traces.jsonl");
  expect(existsSync(path)).toBe(false);
  expect(await readTraces(path)).toEqual([]);
});

test("alternatives have the text that they would have there, numbers four digits", () => {
  const tokenizer = byteTokenizer();
  const [a, b, c] = [...tokenizer.encode("ab\u00e9")] as [number, number, number];
  const alternatives = [{ id: b, probability: 0.123456 }];
  const view = { position: 1, id: c, studentLogProb: -1, student: alternatives, studentEntropy: 1 };
  const [token] = tokenTracer(tokenizer)({ ids: [a, c], completionStart: 1 }, [view]);
  // Half of a letter has no text.
  expect(token).toEqual({
    ...{ text: "Ã", id: c, studentEntropy: 1 },
    student: [{ text: "b", probability: 0.1235 }],
  });
});
