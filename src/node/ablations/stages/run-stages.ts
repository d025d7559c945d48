import { join } from "node:path";
import { PupilError } from "../../../errors/index.js";
import type { CellEvent } from "../../executors/cell.js";
import type { Executor } from "../../executors/executor.js";
import { Journal, type JournalState, readJournal } from "../../executors/journal.js";
import { localExecutor } from "../../executors/local.js";
import { runCells } from "../../executors/run-cells.js";
import { lastRows } from "../../logs/last-rows.js";
import { programWords } from "./program-words.js";
import { labelOf, type PlannedStage } from "./stage.js";
import { stageCells } from "./stage-cells.js";
import { type Computing, readComputing } from "./computing.js";
import type { StageMessage } from "./stage-order.js";
import type { StopWatch } from "./stop-watch.js";
import { type Worker, workerEngine } from "./workers.js";

/** What happens while the stages of an ablation are made. */
export type StageEvent =
  | CellEvent<{ readonly stage: PlannedStage }, PlannedStage>
  | { readonly type: "step"; readonly stage: PlannedStage; readonly step: number }
  /** The first stage that computes with something says what. */
  | ({ readonly type: "computes"; readonly stage: PlannedStage } & Computing);

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
  const known = new Set<string>();
  const onComputing = (stage: PlannedStage, computing: Computing) => {
    const { backend, fallback = "" } = computing;
    const text = `${backend} ${fallback}`;
    if (known.has(text)) return;
    known.add(text);
    report({ type: "computes", stage, ...computing });
  };
  // Processes of this machine have said it when they began.
  let reading = Promise.resolve();
  const readMark = async (stage: PlannedStage) => {
    // One that cannot be read is told when the report is made.
    const computing = await readComputing(stage).catch(() => undefined);
    if (computing !== undefined) onComputing(stage, computing);
  };
  const local = () =>
    localExecutor({
      processes,
      env: { PUPIL_THREADS: "1" },
      onMessage(id, said) {
        const message = said as StageMessage;
        if (message.type === "step") onStep(stageOf(id), message.step);
        else onComputing(stageOf(id), message.computing);
      },
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
      report(stageEvent(event, stageOf));
      if (event.type !== "done" || !executor.outlivesRunner) return;
      reading = reading.then(() => readMark(stageOf(event.id)));
    },
  });
  await reading;
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

function stageEvent(event: CellEvent, stageOf: (id: string) => PlannedStage): StageEvent {
  if (!("id" in event)) return event;
  const { id, ...rest } = event;
  const stage = stageOf(id);
  if (rest.type !== "failed") return { ...rest, stage };
  const { because: needed, ...failed } = rest;
  if (needed === undefined) return { ...failed, stage };
  const because = stageOf(needed);
  const message = `${labelOf(because)}, which it needs, failed: ${failed.message}`;
  return { type: "failed", stage, message, because };
}

/** How far a run is, by the end of its log. */
async function lastStep({ kind, folder }: PlannedStage): Promise<number | undefined> {
  if (kind !== "run") return undefined;
  const log = join(folder, "metrics.jsonl");
  const { step } = await lastRows(log, ["step"], 2 ** 16).catch(() => ({ step: undefined }));
  return step?.step;
}
