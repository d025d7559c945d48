import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { attach, type AttachEvent, cancelJobs } from "../../../../src/node/ablations/attach.js";
import { Journal, type JournalRow } from "../../../../src/node/executors/journal.js";
import { lockRun } from "../../../../src/node/runs/folder/run-lock.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

async function ablationWith(executor: string, rows: readonly JournalRow[]) {
  const folder = temporaryFolder();
  const cells = [
    { id: "a", arm: "plain", seed: 1, folder: "cells/plain-seed-1" },
    { id: "b", arm: "fast", seed: 1, folder: "cells/fast-seed-1" },
  ];
  writeFileSync(join(folder, "cells.json"), JSON.stringify(cells));
  const journal = new Journal(folder);
  const first = {
    type: "runner",
    executor,
    fields: {},
    command: "pupil ablate x.json",
    cells: 2,
  } as const;
  for (const row of [first, ...rows]) await journal.write(row);
  return { folder, journal };
}

const submitted = { type: "submitted", key: "k", cells: ["a", "b"], jobs: ["7_0", "7_1"] } as const;
const done = (cell: string) => ({ type: "ended", cell, how: "done" }) as const;

test("who attaches sees what is in flight, what comes, and the end", async () => {
  const { folder, journal } = await ablationWith("local", [submitted]);
  const lock = await lockRun(folder);
  const events: AttachEvent[] = [];
  let isAhead = false;
  const report = (event: AttachEvent) => {
    events.push(event);
    if (event.type !== "job" || isAhead) return;
    isAhead = true;
    void (async () => {
      await journal.write(done("a"));
      appendFileSync(join(folder, "jobs.jsonl"), '{"type":"ended","cell":"b"');
      appendFileSync(join(folder, "jobs.jsonl"), ',"how":"failed","message":"why"}\n');
      await journal.write({ type: "closed" });
    })();
  };
  await attach(folder, { signal: new AbortController().signal, report });
  await lock.release();
  expect(events).toMatchObject([
    { type: "begin", executor: "local", cells: 2, done: 0, isRunning: true },
    { type: "job", label: "plain, seed 1", job: "7_0", state: undefined },
    { type: "job", label: "fast, seed 1", job: "7_1" },
    { type: "row", labels: ["plain, seed 1"], row: { how: "done" } },
    { type: "row", labels: ["fast, seed 1"], row: { how: "failed", message: "why" } },
    { type: "row", row: { type: "closed" } },
    { type: "end", why: "closed" },
  ]);
});

test("of an ablation that nobody runs it says so, and how it was started", async () => {
  const { folder } = await ablationWith("local", [submitted, done("a")]);
  const events: AttachEvent[] = [];
  await attach(folder, {
    signal: new AbortController().signal,
    report: (event) => events.push(event),
  });
  expect(events).toMatchObject([
    { type: "begin", command: "pupil ablate x.json", done: 1, isRunning: false },
    { type: "end", why: "gone" },
  ]);
});

test("only a folder of an ablation can be attached to, and only jobs of a cluster cancelled", async () => {
  const signal = new AbortController().signal;
  await expect(attach(temporaryFolder(), { signal, report: () => undefined })).rejects.toThrow(
    /no ablation has run in this folder/,
  );
  const { folder } = await ablationWith("local", []);
  await expect(cancelJobs(folder)).rejects.toThrow(/processes of this machine/);
});
