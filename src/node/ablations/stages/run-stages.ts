import { isFinished, labelOf, type PlannedStage } from "./stage.js";
import type { Worker } from "./workers.js";

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
    };

export interface RunStagesOptions {
  /** Stages that are made at once. */
  readonly processes: number;
  readonly worker: Worker;
  readonly signal?: AbortSignal | undefined;
  readonly report: (event: StageEvent) => void;
}

/**
 * Makes the stages that are not finished yet, as many at once as there are processes, each once those that
 * it needs are there. One that fails fails those that need it, and no other. Ends early when the signal
 * aborts; what had begun saves what it has, and continues when it is made again.
 *
 * @param stages each after those that it needs
 */
export async function runStages(
  stages: readonly PlannedStage[],
  { processes, worker, signal, report }: RunStagesOptions,
): Promise<void> {
  const done = new Set<string>();
  const failed = new Map<string, { root: PlannedStage; message: string }>();
  let waiting: PlannedStage[] = [];
  for (const stage of stages) {
    if (await isFinished(stage)) {
      done.add(stage.id);
      report({ type: "found", stage });
    } else waiting.push(stage);
  }
  const fail = (stage: PlannedStage, root: PlannedStage, message: string) => {
    failed.set(stage.id, { root, message });
    if (stage === root) report({ type: "failed", stage, message });
    else {
      const why = `${labelOf(root)}, which it needs, failed: ${message}`;
      report({ type: "failed", stage, message: why, because: root });
    }
  };
  const dropFailed = () => {
    waiting = waiting.filter((stage) => {
      const cause = stage.needs.map((id) => failed.get(id)).find((found) => found !== undefined);
      if (cause !== undefined) fail(stage, cause.root, cause.message);
      return cause === undefined;
    });
  };
  const make = async (stage: PlannedStage): Promise<void> => {
    report({ type: "started", stage });
    const began = performance.now();
    const onStep = (step: number) => report({ type: "step", stage, step });
    const outcome = await worker(stage, { signal, onStep });
    if (outcome.type === "failed") {
      if (!signal?.aborted) fail(stage, stage, outcome.message);
      return;
    }
    if (!(await isFinished(stage))) {
      // One that was stopped has no result.
      if (!signal?.aborted) fail(stage, stage, "It ended without a result.");
      return;
    }
    const seconds = (performance.now() - began) / 1000;
    done.add(stage.id);
    report({ type: "done", stage, seconds });
  };
  const running = new Map<string, Promise<void>>();
  for (;;) {
    dropFailed();
    const isReady = ({ needs }: PlannedStage) => needs.every((id) => done.has(id));
    while (!signal?.aborted && running.size < Math.max(1, processes)) {
      const next = waiting.find(isReady);
      if (next === undefined) break;
      waiting = waiting.filter((stage) => stage !== next);
      running.set(
        next.id,
        make(next).finally(() => running.delete(next.id)),
      );
    }
    if (running.size === 0) return;
    await Promise.race(running.values());
  }
}
