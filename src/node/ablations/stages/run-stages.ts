import { join } from "node:path";
import { PupilError } from "../../../errors/index.js";
import type { CellEvent } from "../../executors/cell.js";
import type { Executor } from "../../executors/executor.js";
import {
  Journal,
  type JournalState,
  readJournal,
  type StoppedAt,
} from "../../executors/journal.js";
import { localExecutor } from "../../executors/local.js";
import { runCells } from "../../executors/run-cells.js";
import { lastRows } from "../../logs/last-rows.js";
import { programWords } from "./program-words.js";
import { labelOf, type PlannedStage } from "./stage.js";
import { stageCells } from "./stage-cells.js";
import type { StepMessage } from "./stage-order.js";
import type { StopWatch } from "./stop-watch.js";
import { type Worker, workerEngine } from "./workers.js";

/** What happens while the stages of an ablation are made. */
export type StageEvent =
  | { readonly type: "found"; readonly stage: PlannedStage }
  | { readonly type: "started"; readonly stage: PlannedStage }
  | { readonly type: "step"; readonly stage: PlannedStage; readonly step: number }
  | { readonly type: "done"; readonly stage: PlannedStage; readonly seconds: number }
  | {
      readonly type: "failed";
      readonly stage: PlannedStage;
      readonly message: string;
      /** The stage that it needs and that failed. */
      readonly because?: PlannedStage;
    }
  /** It was lost, or failed in a way that may be its node's, and is submitted again. */
  | { readonly type: "again"; readonly stage: PlannedStage; readonly message: string }
  /** Somebody took its job out of the engine. */
  | { readonly type: "cancelled"; readonly stage: PlannedStage; readonly message: string }
  /** The ablation's rule ended it early. */
  | { readonly type: "stopped"; readonly stage: PlannedStage; readonly at: StoppedAt }
  /** The engine does not answer, or does again. */
  | { readonly type: "away"; readonly message: string }
  | { readonly type: "back" }
  /** The jobs go on without this process. */
  | { readonly type: "left"; readonly jobs: readonly string[]; readonly cancelWith?: string };

export interface RunStagesOptions {
  /** Of the ablation: what is handed over, and what became of it, is written there. */
  readonly folder: string;
  /** Stages that are made at once by this machine. */
  readonly processes: number;
  /** Makes stages in this process. */
  readonly worker?: Worker | undefined;
  /** Makes them elsewhere. Default: processes of this machine, with one thread each. */
  readonly engine?: StageEngine | undefined;
  /** How it was asked for, for who continues. */
  readonly command?: string;
  /** Ends stages early. */
  readonly stop?: StopWatch | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report: (event: StageEvent) => void;
}

/** An engine that stages are handed to. */
export interface StageEngine {
  readonly executor: Executor;
  /** Its fields, for the journal. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What makes a stage on its machines; the words of the order follow. */
  readonly command: readonly string[];
  /** How often a stage that was lost is handed over again. */
  readonly retries: number;
}

/** Other hosts may see a file so late (the attribute cache of NFS). */
const settleMs = 60_000;

/** Folder of orders, outcomes, batches and logs in that of an ablation. */
export function jobsFolder(folder: string): string {
  return join(folder, "jobs");
}

/**
 * Makes the stages that are not finished yet, as many at once as the executor takes, each once those that it
 * needs are there. One that fails fails those that need it, and no other. Ends early when the signal aborts; what
 * had begun saves what it has, and continues when it is made again, or goes on where the engine outlives this process.
 *
 * @param stages each after those that it needs
 */
export async function runStages(
  stages: readonly PlannedStage[],
  options: RunStagesOptions,
): Promise<void> {
  const { folder, processes, worker, engine, stop, signal, report } = options;
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const stageOf = (id: string) => byId.get(id) as PlannedStage;
  const onStep = (stage: PlannedStage, step: number) => report({ type: "step", stage, step });
  const local = () =>
    localExecutor({
      processes,
      env: { PUPIL_THREADS: "1" },
      onMessage: (id, message) => onStep(stageOf(id), (message as StepMessage).step),
    });
  const own = worker && workerEngine(worker, processes, onStep);
  const executor = own?.executor ?? engine?.executor ?? local();
  const command = engine?.command ?? programWords("stage-process");
  const jobs = jobsFolder(folder);
  const cellOf = own?.cellOf ?? stageCells({ jobs, command, executor });
  const journal = new Journal(folder);
  const before = await readJournal(folder);
  requireSameEngine(before, executor.name, folder);
  await journal.write({
    ...{ type: "runner", executor: executor.name, fields: engine?.fields ?? {} },
    ...{ command: options.command ?? "", cells: stages.length },
  });
  const reached = new Map<string, number>();
  const showSteps = async (ids: readonly string[]) => {
    // Processes of this machine say it themselves.
    if (!executor.outlivesRunner || !executor.sharesFolder) return;
    for (const stage of ids.map(stageOf)) {
      const step = await lastStep(stage);
      if (step === undefined || step === reached.get(stage.id)) continue;
      reached.set(stage.id, step);
      onStep(stage, step);
    }
  };
  await stop?.begin();
  let ended: string[] = [];
  await runCells(stages.map(cellOf), {
    ...{ executor, journal, before, signal },
    retries: engine?.retries ?? 0,
    settleMs: executor.outlivesRunner ? settleMs : 0,
    ...(stop === undefined && !executor.outlivesRunner
      ? {}
      : {
          watch: async (running) => {
            await showSteps(running);
            const gone = ended;
            ended = [];
            return (await stop?.look(running, gone)) ?? new Map();
          },
        }),
    report: (event) => {
      if (event.type === "done" && stop !== undefined) ended.push(event.id);
      report(stageEvent(event, stageOf, executor));
    },
  });
}

/** What one cluster has in flight another one would make a second time. */
function requireSameEngine({ runner, inFlight }: JournalState, name: string, folder: string): void {
  if (runner === undefined || runner.executor === "local" || runner.executor === name) return;
  if (inFlight.size === 0) return;
  throw new PupilError(`${inFlight.size} of its runs are jobs of ${runner.executor}.`, {
    field: folder,
    remedy: `Continue with executor=${runner.executor}, or take them out first: pupil ablate ${folder} cancel`,
  });
}

function stageEvent(
  event: CellEvent,
  stageOf: (id: string) => PlannedStage,
  executor: Executor,
): StageEvent {
  if (event.type === "away" || event.type === "back") return event;
  if (event.type === "left") {
    const cancelWith = executor.cancelCommand?.(event.jobs);
    return { ...event, ...(cancelWith === undefined ? {} : { cancelWith }) };
  }
  const stage = stageOf(event.id);
  if (event.type === "started") return { type: "started", stage };
  if (event.type !== "failed" || event.because === undefined) {
    const { id: _id, ...rest } = event as Exclude<typeof event, { type: "started" }>;
    return { ...rest, stage } as StageEvent;
  }
  const because = stageOf(event.because);
  const message = `${labelOf(because)}, which it needs, failed: ${event.message}`;
  return { type: "failed", stage, message, because };
}

/** How far a run is, by the end of its log. */
async function lastStep({ kind, folder }: PlannedStage): Promise<number | undefined> {
  if (kind !== "run") return undefined;
  const log = join(folder, "metrics.jsonl");
  const { step } = await lastRows(log, ["step"], 2 ** 16).catch(() => ({ step: undefined }));
  return step?.step;
}
