import type { CellOutcome, RunnableCell } from "../../executors/cell.js";
import type { Executor, JobState } from "../../executors/executor.js";
import { type Collector, collector as builtInCollector } from "./collector.js";
import { makeStage } from "./make-stage.js";
import { isFinished, type PlannedStage } from "./stage.js";
import { messageOf } from "./stage-order.js";

export type Outcome =
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onStep: (step: number) => void;
}

/** Makes a stage; never throws. */
export type Worker = (stage: PlannedStage, options: WorkOptions) => Promise<Outcome>;

/** Makes stages in this process, for tests and where starting processes would take most of the time. */
export function inThisProcess(collector: Collector = builtInCollector): Worker {
  return async (stage, { signal = new AbortController().signal, onStep }) => {
    try {
      await makeStage(stage, { signal, collector, onStep });
      return { type: "done" };
    } catch (error) {
      return { type: "failed", message: messageOf(error) };
    }
  };
}

/** A worker as an executor, with the cells that it takes. */
export interface WorkerEngine {
  readonly executor: Executor;
  readonly cellOf: (stage: PlannedStage) => RunnableCell;
}

export function workerEngine(
  worker: Worker,
  processes: number,
  onStep: (stage: PlannedStage, step: number) => void,
): WorkerEngine {
  const stages = new Map<string, PlannedStage>();
  const outcomes = new Map<string, CellOutcome>();
  const states = new Map<string, JobState>();
  const stops = new Map<string, AbortController>();
  let wake: () => void = () => undefined;
  const start = (id: string): string => {
    const stage = stages.get(id) as PlannedStage;
    const stop = new AbortController();
    stops.set(id, stop);
    outcomes.delete(id);
    states.set(id, { type: "running" });
    void worker(stage, { signal: stop.signal, onStep: (step) => onStep(stage, step) }).then(
      (outcome) => {
        if (outcome.type === "failed") outcomes.set(id, { ...outcome, isFinal: true });
        states.set(id, { type: "ended" });
        wake();
      },
    );
    return id;
  };
  const hasEnded = () => [...states.values()].some(({ type }) => type === "ended");
  const executor: Executor = {
    ...{ name: "local", outlivesRunner: false, sharesFolder: true },
    ...{ capacity: Math.max(1, processes), batch: 1 },
    submit: (cells) => Promise.resolve(cells.map(({ id }) => start(id))),
    states(jobs) {
      const found = new Map(jobs.map((job) => [job, states.get(job) as JobState]));
      for (const [job, state] of found) if (state.type === "ended") states.delete(job);
      return Promise.resolve(found);
    },
    cancel(jobs) {
      for (const job of jobs) stops.get(job)?.abort();
      return Promise.resolve();
    },
    logs: () => Promise.resolve(""),
    changed(signal) {
      if (hasEnded() || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const end = () => {
          signal.removeEventListener("abort", end);
          wake = () => undefined;
          resolve();
        };
        wake = end;
        signal.addEventListener("abort", end);
      });
    },
  };
  const cellOf = (stage: PlannedStage): RunnableCell => {
    const { id, needs, folder } = stage;
    return {
      ...{ id, needs, isFinished: () => isFinished(stage) },
      prepare() {
        stages.set(id, stage);
        return Promise.resolve({ id, command: [], folder });
      },
      outcome: () => Promise.resolve(outcomes.get(id)),
    };
  };
  return { executor, cellOf };
}
