import { setImmediate } from "node:timers/promises";
import {
  type CellCommand,
  EngineAwayError,
  type Executor,
  type JobState,
  type SubmitOptions,
} from "../../../src/node/executors/executor.js";
import type { CellOutcome, RunnableCell } from "../../../src/node/executors/cell.js";

/** A job of the fake engine. */
export interface FakeJob {
  readonly id: string;
  readonly key: string;
  readonly cells: readonly CellCommand[];
  readonly node: string;
  state: JobState;
}

export interface FakeEngineOptions {
  readonly nodes?: readonly string[];
  readonly capacity?: number;
  readonly batch?: number;
  /** What becomes of a job once it is looked at; by default it ends well. */
  readonly onLook?: (job: FakeJob, engine: FakeEngine) => JobState;
}

/** An engine in memory that outlives whoever submits: queue, nodes, arrays, and faults when told. */
export class FakeEngine implements Executor {
  readonly name = "fake";
  readonly outlivesRunner = true;
  readonly sharesFolder = true;
  readonly capacity: number;
  readonly batch: number;
  readonly jobs = new Map<string, FakeJob>();
  /** Ids of cells in the order in which they were really taken. */
  readonly taken: string[] = [];
  readonly submits: (SubmitOptions & { readonly cells: readonly string[] })[] = [];
  readonly cancelled: string[] = [];
  /** Answers that it does not give any more, counted down. */
  away = 0;
  /** Takes the next submit, and the answer gets lost. */
  losesAnswer = false;
  private readonly nodes: readonly string[];
  private readonly onLook: (job: FakeJob, engine: FakeEngine) => JobState;

  constructor(options: FakeEngineOptions = {}) {
    this.nodes = options.nodes ?? ["n1", "n2"];
    this.capacity = options.capacity ?? 1000;
    this.batch = options.batch ?? 1000;
    this.onLook = options.onLook ?? (() => ({ type: "ended" }));
  }

  submit(cells: readonly CellCommand[], options: SubmitOptions): Promise<readonly string[]> {
    this.requireAnswer();
    const ids = cells.map(({ id }) => id);
    this.submits.push({ ...options, cells: ids });
    const jobs = ids.map((_, i) => `${options.key}_${i}`);
    if (this.jobs.has(jobs[0] as string)) return Promise.resolve(jobs);
    const node = this.nodes.find((name) => !options.exclude.includes(name)) ?? "n1";
    for (const [i, id] of jobs.entries()) {
      const own = [cells[i] as CellCommand];
      const state: JobState = { type: "running", node };
      this.jobs.set(id, { id, key: options.key, cells: own, node, state });
    }
    this.taken.push(...ids);
    if (!this.losesAnswer) return Promise.resolve(jobs);
    this.losesAnswer = false;
    return Promise.reject(new EngineAwayError("the answer got lost"));
  }

  states(jobs: readonly string[]): Promise<ReadonlyMap<string, JobState>> {
    this.requireAnswer();
    const found = new Map<string, JobState>();
    for (const id of jobs) {
      const job = this.jobs.get(id);
      if (job?.state.type === "running") job.state = this.onLook(job, this);
      found.set(id, job?.state ?? { type: "lost", message: "It is not known here." });
    }
    return Promise.resolve(found);
  }

  cancel(jobs: readonly string[]): Promise<void> {
    this.requireAnswer();
    for (const id of jobs) {
      const job = this.jobs.get(id);
      if (job?.state.type !== "running") continue;
      job.state = { type: "cancelled", message: "cancelled by somebody" };
      this.cancelled.push(id);
    }
    return Promise.resolve();
  }

  logs(job: string): Promise<string> {
    return Promise.resolve(`log of ${job}`);
  }

  async changed(): Promise<void> {
    await setImmediate();
  }

  private requireAnswer(): void {
    if (this.away === 0) return;
    this.away -= 1;
    throw new EngineAwayError("The head node does not answer.");
  }
}

/** Cells whose results and outcomes are kept in memory. */
export class FakeCells {
  readonly finished = new Set<string>();
  readonly outcomes = new Map<string, CellOutcome>();
  readonly prepared: string[] = [];

  cell(id: string, needs: readonly string[] = []): RunnableCell {
    return {
      ...{ id, needs },
      isFinished: () => Promise.resolve(this.finished.has(id)),
      prepare: () => {
        this.prepared.push(id);
        this.outcomes.delete(id);
        return Promise.resolve({ id, command: ["true", id], folder: id });
      },
      outcome: () => Promise.resolve(this.outcomes.get(id)),
    };
  }
}
