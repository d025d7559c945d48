import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CellEvent, RunnableCell } from "../../../../src/node/executors/cell.js";
import type { JobState } from "../../../../src/node/executors/executor.js";
import {
  Journal,
  journalFile,
  type JournalRow,
  readJournal,
  type StoppedAt,
} from "../../../../src/node/executors/journal.js";
import { type RunCellsOptions, runCells } from "../../../../src/node/executors/run-cells.js";
import { FakeCells, FakeEngine, type FakeJob } from "../../../setup/backends/fake-engine.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** An ablation's folder, with cells that are finished as soon as their job is looked at. */
class Scene {
  readonly folder = temporaryFolder();
  readonly cells = new FakeCells();
  readonly events: CellEvent[] = [];

  /** The job writes its result and ends. */
  readonly finish = ({ cells: [cell] }: FakeJob): JobState => {
    this.cells.finished.add(cell?.id as string);
    return { type: "ended" };
  };

  async run(
    cells: readonly RunnableCell[],
    executor: FakeEngine,
    options: Partial<RunCellsOptions> = {},
  ): Promise<string[]> {
    const first = this.events.length;
    const journal = new Journal(this.folder);
    const before = await readJournal(this.folder);
    await journal.write({
      ...{ type: "runner", executor: "fake", fields: {}, command: "test", cells: cells.length },
    });
    const report = (event: CellEvent) => void this.events.push(event);
    await runCells(cells, { executor, journal, before, retries: 2, report, ...options });
    return this.said(first);
  }

  said(first = 0): string[] {
    const shown = this.events.slice(first).filter(({ type }) => type !== "started");
    return shown.map((event) => ("id" in event ? `${event.type} ${event.id}` : event.type));
  }

  rows(): JournalRow[] {
    const text = readFileSync(join(this.folder, journalFile), "utf8");
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as JournalRow);
  }
}

describe("cells on an engine", () => {
  test("go as one array, and those that need others follow when these are there", async () => {
    const scene = new Scene();
    const cells = [
      scene.cells.cell("a"),
      scene.cells.cell("b", ["a"]),
      scene.cells.cell("c"),
      scene.cells.cell("d", ["b", "c"]),
    ];
    const engine = new FakeEngine({ onLook: scene.finish });
    expect(await scene.run(cells, engine)).toEqual(["done a", "done c", "done b", "done d"]);
    expect(engine.submits.map(({ cells: ids }) => ids)).toEqual([["a", "c"], ["b"], ["d"]]);
    expect(scene.rows().at(-1)?.type).toBe("closed");
    // Again: everything is found, the engine is not asked.
    expect(await scene.run(cells, engine)).toEqual(["found a", "found b", "found c", "found d"]);
    expect(engine.taken).toEqual(["a", "c", "b", "d"]);
  });

  test("are no more at once than the engine takes, in the order of the plan", async () => {
    const scene = new Scene();
    const names = ["a", "b", "c", "d", "e"];
    const engine = new FakeEngine({ capacity: 2, batch: 2, onLook: scene.finish });
    await scene.run(
      names.map((name) => scene.cells.cell(name)),
      engine,
    );
    expect(engine.taken).toEqual(names);
    for (const { cells } of engine.submits) expect(cells.length).toBeLessThanOrEqual(2);
  });

  test("that are lost are submitted again, and nothing that is finished", async () => {
    const scene = new Scene();
    const lost = new Set(["b"]);
    const engine = new FakeEngine({
      onLook: (job) => {
        const id = job.cells[0]?.id as string;
        if (!lost.delete(id)) return scene.finish(job);
        return { type: "lost", message: "node failed" };
      },
    });
    const said = await scene.run([scene.cells.cell("a"), scene.cells.cell("b")], engine);
    expect(said).toEqual(["done a", "again b", "done b"]);
    expect(engine.taken).toEqual(["a", "b", "b"]);
    // Another attempt is another job.
    expect(new Set(engine.submits.map(({ key }) => key)).size).toBe(2);
  });

  test("that are always lost fail at last, with the end of their log, and take what needs them", async () => {
    const scene = new Scene();
    const engine = new FakeEngine({
      onLook: (job) =>
        job.cells[0]?.id === "a" ? { type: "lost", message: "gone" } : scene.finish(job),
    });
    const cells = [scene.cells.cell("a"), scene.cells.cell("b", ["a"]), scene.cells.cell("c")];
    const said = await scene.run(cells, engine);
    expect(said).toEqual(["again a", "done c", "again a", "failed a", "failed b"]);
    expect(engine.taken.filter((id) => id === "a")).toHaveLength(3);
    const failed = scene.events.find(({ type }) => type === "failed");
    expect(failed).toMatchObject({ message: expect.stringMatching(/^gone\nlog of /) });
  });

  test("that ended well without a result are waited for, then lost", async () => {
    const scene = new Scene();
    let looks = 0;
    const engine = new FakeEngine({ onLook: () => ({ type: "ended" }) });
    const late = scene.cells.cell("a");
    const cell = {
      ...late,
      isFinished: () => Promise.resolve(++looks > 5),
    };
    expect(await scene.run([cell], engine, { settleMs: 10_000 })).toEqual(["done a"]);
    expect(engine.taken).toEqual(["a"]);
    const never = await scene.run([scene.cells.cell("b")], engine, { settleMs: 1, retries: 0 });
    expect(never).toEqual(["failed b"]);
  });

  test("of an array that somebody cancels are left, the others go on; the next start asks for them again", async () => {
    const scene = new Scene();
    let isCancelled = false;
    const engine = new FakeEngine({
      onLook: (job, self) => {
        const id = job.cells[0]?.id;
        if (id === "a") return scene.finish(job);
        if (isCancelled) return scene.finish(job);
        void self.cancel([job.id]);
        return self.jobs.get(job.id)?.state as JobState;
      },
    });
    const cells = ["a", "b", "c"].map((id) => scene.cells.cell(id));
    expect(await scene.run(cells, engine)).toEqual(["done a", "cancelled b", "cancelled c"]);
    isCancelled = true;
    expect(await scene.run(cells, engine)).toEqual(["found a", "done b", "done c"]);
    expect(engine.taken).toEqual(["a", "b", "c", "b", "c"]);
  });

  test("outlive a head node that restarts, and one that forgets its jobs", async () => {
    const scene = new Scene();
    let looks = 0;
    const engine = new FakeEngine({
      onLook: (job, self) => {
        looks += 1;
        // The first job is seen; then nothing answers for a while.
        if (looks === 1) self.away = 3;
        return looks < 3 ? { type: "running", node: "n1" } : scene.finish(job);
      },
    });
    expect(await scene.run([scene.cells.cell("a")], engine)).toEqual(["away", "back", "done a"]);
    expect(engine.taken).toEqual(["a"]);

    const other = new Scene();
    let hasForgotten = false;
    const forgetful = new FakeEngine({
      onLook: (job, self) => {
        if (hasForgotten) return other.finish(job);
        hasForgotten = true;
        other.finish(job);
        self.jobs.clear();
        return { type: "running" };
      },
    });
    const cells = ["a", "b"].map((id) => other.cells.cell(id));
    // What "a" had finished before the engine forgot it is a result all the same.
    expect(await other.run(cells, forgetful)).toEqual(["again b", "done a", "done b"]);
    expect(forgetful.taken).toEqual(["a", "b", "b"]);
  });

  test("whose submit got no answer are looked for and not submitted twice", async () => {
    const scene = new Scene();
    const engine = new FakeEngine({ onLook: scene.finish });
    engine.losesAnswer = true;
    const cells = ["a", "b"].map((id) => scene.cells.cell(id));
    expect(await scene.run(cells, engine)).toEqual(["away", "back", "done a", "done b"]);
    expect(engine.taken).toEqual(["a", "b"]);
    expect(engine.submits.map(({ again }) => again)).toEqual([false, true]);
    expect(engine.submits[0]?.key).toBe(engine.submits[1]?.key);
  });

  test("of a runner that was killed are taken over by the next, also between asking and writing down", async () => {
    const scene = new Scene();
    const stop = new AbortController();
    const engine = new FakeEngine({
      onLook: (job) => {
        stop.abort("leave");
        return job.cells[0]?.id === "a" ? scene.finish(job) : { type: "running" };
      },
    });
    const cells = ["a", "b"].map((id) => scene.cells.cell(id));
    const left = await scene.run(cells, engine, { signal: stop.signal });
    expect(left).toEqual(["done a", "left"]);
    expect(scene.rows().at(-1)).toMatchObject({ type: "left", jobs: 1 });

    // As a kill before the answer was written leaves it, with a row cut short.
    const path = join(scene.folder, journalFile);
    const { key } = engine.submits[0] as { key: string };
    const rows = scene.rows().filter(({ type }) => type === "runner" || type === "submitting");
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    appendFileSync(path, '{"type":"submitted","key":"');
    appendFileSync(path, "\n");
    for (const job of engine.jobs.values()) if (job.cells[0]?.id === "b") scene.finish(job);
    const again = new FakeEngine({ onLook: scene.finish });
    for (const [id, job] of engine.jobs) again.jobs.set(id, job);
    expect(await scene.run([...cells, scene.cells.cell("c")], again)).toEqual([
      ...["found a", "found b", "done c"],
    ]);
    expect(again.taken).toEqual(["c"]);
    expect(key).toMatch(/^pupil-[0-9a-f]{20}$/);
  });

  test("that were left running are adopted: no second job for one that is in flight", async () => {
    const scene = new Scene();
    const stop = new AbortController();
    const running = new FakeEngine({
      onLook: () => {
        stop.abort("leave");
        return { type: "running" };
      },
    });
    const cells = ["a", "b"].map((id) => scene.cells.cell(id));
    expect(await scene.run(cells, running, { signal: stop.signal })).toEqual(["left"]);
    const later = new FakeEngine({ onLook: scene.finish });
    for (const [id, job] of running.jobs) later.jobs.set(id, job);
    expect(await scene.run(cells, later)).toEqual(["done a", "done b"]);
    expect(later.submits).toEqual([]);
  });

  test("that were adopted and are cancelled later are left like any others", async () => {
    const scene = new Scene();
    const stop = new AbortController();
    let looks = 0;
    const engine = new FakeEngine({
      onLook: (job, self) => {
        stop.abort("leave");
        if (++looks > 2) void self.cancel([job.id]);
        return self.jobs.get(job.id)?.state as JobState;
      },
    });
    const cells = [scene.cells.cell("a")];
    expect(await scene.run(cells, engine, { signal: stop.signal })).toEqual(["left"]);
    expect(await scene.run(cells, engine)).toEqual(["cancelled a"]);
    expect(engine.taken).toEqual(["a"]);
  });

  test("that fail on one node only are finished on another", async () => {
    const scene = new Scene();
    const engine = new FakeEngine({
      nodes: ["broken", "good"],
      onLook: (job) => {
        if (job.node !== "broken") return scene.finish(job);
        const id = job.cells[0]?.id as string;
        const message = "libfoo.so is missing";
        scene.cells.outcomes.set(id, { type: "failed", message, isFinal: false });
        return { type: "failed", message: "exit code 1", node: job.node };
      },
    });
    expect(await scene.run([scene.cells.cell("a")], engine)).toEqual(["again a", "done a"]);
    expect(engine.submits.map(({ exclude }) => exclude)).toEqual([[], ["broken"]]);
  });

  test("that fail everywhere fail with what they said, at once where another node cannot help", async () => {
    for (const [isFinal, tries] of [
      [false, 2],
      [true, 1],
    ] as const) {
      const scene = new Scene();
      const engine = new FakeEngine({
        onLook: ({ cells: [cell] }) => {
          const message = "the loss is not finite";
          scene.cells.outcomes.set(cell?.id as string, { type: "failed", message, isFinal });
          return { type: "failed", message: "exit code 1", node: "n1" };
        },
      });
      await scene.run([scene.cells.cell("a")], engine);
      expect(engine.taken).toHaveLength(tries);
      expect(scene.events.at(-1)).toMatchObject({ message: "the loss is not finite" });
    }
  });

  test("that are preempted go on for as long as they get further, whatever the retries are", async () => {
    const scene = new Scene();
    let step = 0;
    const engine = new FakeEngine({
      onLook: (job) => {
        step += 10;
        if (step === 50) return scene.finish(job);
        scene.cells.outcomes.set("a", { type: "stopped", step });
        return { type: "failed", message: "exit code 75" };
      },
    });
    const said = await scene.run([scene.cells.cell("a")], engine, { retries: 0 });
    expect(said).toEqual([...Array.from({ length: 4 }, () => "again a"), "done a"]);

    // Without a step in between it would never end.
    const stuck = new FakeEngine({
      onLook: () => {
        scene.cells.outcomes.set("b", { type: "stopped", step: 3 });
        return { type: "failed", message: "exit code 75" };
      },
    });
    const tried = await scene.run([scene.cells.cell("b")], stuck, { retries: 1 });
    expect(tried).toEqual(["again b", "again b", "failed b"]);
  });

  test("are cancelled where that is asked for, and submitted again by the next start", async () => {
    const scene = new Scene();
    const stop = new AbortController();
    const engine = new FakeEngine({
      onLook: () => {
        stop.abort("cancel");
        return { type: "running" };
      },
    });
    const cells = ["a", "b"].map((id) => scene.cells.cell(id));
    expect(await scene.run(cells, engine, { signal: stop.signal })).toEqual([
      ...["cancelled a", "cancelled b"],
    ]);
    expect(engine.cancelled).toHaveLength(2);
    const next = new FakeEngine({ onLook: scene.finish });
    expect(await scene.run(cells, next)).toEqual(["done a", "done b"]);
    expect(next.taken).toEqual(["a", "b"]);
  });

  test("are cancelled once the engine answers again, where it was away", async () => {
    const scene = new Scene();
    const stop = new AbortController();
    const engine = new FakeEngine({
      onLook: (job, { cancelled }) => {
        if (!stop.signal.aborted) {
          engine.away = 3;
          stop.abort("cancel");
        }
        return cancelled.includes(job.id) ? job.state : { type: "running" };
      },
    });
    const cells = [scene.cells.cell("a")];
    const said = await scene.run(cells, engine, { signal: stop.signal });
    expect(said).toEqual(["away", "back", "cancelled a"]);
    expect(engine.cancelled).toHaveLength(1);
  });

  test("that a cluster was asked for without an answer are made by this machine if it is told to", async () => {
    const scene = new Scene();
    const engine = new FakeEngine({ onLook: scene.finish });
    const journal = new Journal(scene.folder);
    await journal.write({ type: "submitting", key: "pupil-k", cells: ["a"] });
    const here = Object.assign(engine, { outlivesRunner: false });
    expect(await scene.run([scene.cells.cell("a")], here)).toEqual(["done a"]);
  });

  test("are ended early by who watches them, once and for all", async () => {
    const scene = new Scene();
    const engine = new FakeEngine({
      onLook: (job) => (job.cells[0]?.id === "a" ? { type: "running" } : scene.finish(job)),
    });
    const at: StoppedAt = { step: 5, metric: "loss", value: 2, cutoff: 1 };
    const watch: RunCellsOptions["watch"] = (running) =>
      Promise.resolve(new Map(running.filter((id) => id === "a").map((id) => [id, at])));
    const cells = ["a", "b"].map((id) => scene.cells.cell(id));
    expect(await scene.run(cells, engine, { watch })).toEqual(["done b", "stopped a"]);
    expect(await scene.run(cells, engine, { watch })).toEqual(["stopped a", "found b"]);
    expect(engine.taken).toEqual(["a", "b"]);
    expect(scene.events.findLast(({ type }) => type === "stopped")).toMatchObject({ at });
  });

  test("that the engine refuses end the run with its words", async () => {
    const scene = new Scene();
    const engine = new FakeEngine();
    engine.submit = () => Promise.reject(new Error("no such partition"));
    await expect(scene.run([scene.cells.cell("a")], engine)).rejects.toThrow("no such partition");
  });
});
