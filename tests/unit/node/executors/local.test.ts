import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CellEvent, RunnableCell } from "../../../../src/node/executors/cell.js";
import { localExecutor } from "../../../../src/node/executors/local.js";
import { Journal, readJournal } from "../../../../src/node/executors/journal.js";
import { runCells } from "../../../../src/node/executors/run-cells.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const node = (code: string) => [process.execPath, "-e", code];
const options = { key: "k", again: false, exclude: [] };
const never = new AbortController().signal;

async function endOf(executor: ReturnType<typeof localExecutor>, job: string) {
  for (;;) {
    await executor.changed(never);
    const state = (await executor.states([job])).get(job);
    if (state?.type !== "running") return state;
  }
}

describe("processes of this machine", () => {
  test("say how they ended, with the end of what they wrote as errors", async () => {
    const executor = localExecutor({ processes: 2, env: { OWN: "7" } });
    const codes = {
      good: "if (process.env.OWN !== '7') process.exit(2)",
      bad: "console.error('x'.repeat(5000) + 'why'); process.exit(3)",
      killed: "process.kill(process.pid, 'SIGKILL')",
    };
    const ended: unknown[] = [];
    for (const [id, code] of Object.entries(codes)) {
      const [job = ""] = await executor.submit([{ id, command: node(code), folder: "f" }], options);
      ended.push(await endOf(executor, job));
    }
    expect(ended).toEqual([
      { type: "ended" },
      {
        type: "failed",
        message: expect.stringMatching(/^The process ended with code 3\.\nx{3900,4000}why$/),
      },
      { type: "failed", message: "The process was ended by SIGKILL." },
    ]);
    const [none = ""] = await executor.submit(
      [{ id: "none", command: ["/no/such/program"], folder: "f" }],
      options,
    );
    expect(await endOf(executor, none)).toMatchObject({ type: "failed", message: /ENOENT/ });
  });

  test("are asked to end, and their messages are heard", async () => {
    const heard: unknown[] = [];
    const executor = localExecutor({
      processes: 1,
      onMessage: (id, said) => heard.push([id, said]),
    });
    const code =
      "process.on('SIGTERM', () => process.exit(0)); process.send({ step: 1 }); setInterval(() => 0, 1e3)";
    const [job = ""] = await executor.submit(
      [{ id: "a", command: node(code), folder: "f" }],
      options,
    );
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(heard).toEqual([["a", { step: 1 }]]);
    await executor.cancel([job]);
    expect(await endOf(executor, job)).toEqual({ type: "ended" });
  });
});

/** Cells that write a file, each a process. */
function fileCells(folder: string, count: number, needs: (i: number) => number[] = () => []) {
  return Array.from({ length: count }, (_, i): RunnableCell => {
    const path = join(folder, `cell-${i}`);
    return {
      ...{ id: `c${i}`, needs: needs(i).map((j) => `c${j}`) },
      isFinished: () => Promise.resolve(existsSync(path)),
      prepare: () =>
        Promise.resolve({ id: `c${i}`, command: ["/bin/sh", "-c", `echo ${i} > ${path}`], folder }),
      outcome: () => Promise.resolve(undefined),
    };
  });
}

test("hundred short cells run once each, as many at once as there are processes, and a second start finds them", async () => {
  const folder = temporaryFolder();
  const cells = fileCells(folder, 100, (i) => (i % 10 === 0 ? [] : [i - 1]));
  let running = 0;
  let most = 0;
  const counts: Record<string, number> = {};
  const run = async () => {
    const executor = localExecutor({ processes: 3 });
    const journal = new Journal(folder);
    const before = await readJournal(folder);
    await journal.write({ type: "runner", executor: "local", fields: {}, command: "", cells: 100 });
    const report = ({ type }: CellEvent) => {
      counts[type] = (counts[type] ?? 0) + 1;
      if (type === "started") most = Math.max(most, (running += 1));
      if (type === "done") running -= 1;
    };
    await runCells(cells, { executor, journal, before, retries: 0, report });
  };
  await run();
  expect(counts).toEqual({ started: 100, done: 100 });
  expect(most).toBe(3);
  expect(readFileSync(join(folder, "cell-42"), "utf8")).toBe("42\n");
  await run();
  expect(counts).toEqual({ started: 100, done: 100, found: 100 });
});

test("a process that ends without a result fails its cell, as one that was killed does", async () => {
  const folder = temporaryFolder();
  const [cell] = fileCells(folder, 1);
  const events: CellEvent[] = [];
  const cells = ["true", "kill -9 $$"].map(
    (code, i): RunnableCell => ({
      ...(cell as RunnableCell),
      id: `x${i}`,
      prepare: () => Promise.resolve({ id: `x${i}`, command: ["/bin/sh", "-c", code], folder }),
    }),
  );
  const journal = new Journal(folder);
  const before = await readJournal(folder);
  const report = (event: CellEvent) => void events.push(event);
  await runCells(cells, {
    executor: localExecutor({ processes: 1 }),
    journal,
    before,
    retries: 0,
    report,
  });
  expect(events.filter(({ type }) => type === "failed")).toEqual([
    { type: "failed", id: "x0", message: "It ended without a result." },
    { type: "failed", id: "x1", message: "The process was ended by SIGKILL." },
  ]);
});

test("a journal that another program has broken has no rows for those lines", async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "jobs.jsonl"),
    '{"type":"runner","executor":"local"}\nnull\n{"a":\n[]\n',
  );
  expect((await readJournal(folder)).runner?.executor).toBe("local");
});
