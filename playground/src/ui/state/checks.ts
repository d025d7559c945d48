import { signal } from "@preact/signals";
import type { CheckedLosses } from "../../training/protocol.js";
import { startWorker, type WorkerClient } from "./worker-client.js";

export const checked = signal<CheckedLosses | undefined>(undefined);
/** Seconds for which a check goes on; undefined: none does. */
export const checkingSeconds = signal<number | undefined>(undefined);
/** Texts of losses that passed the checks here: only those are run in a training. */
export const passed = signal<ReadonlySet<string>>(new Set());

/** Seconds after which a check is ended. */
const longestCheck = 120;

let checker:
  | { readonly worker: WorkerClient; readonly clock: ReturnType<typeof setInterval> }
  | undefined;

export interface CheckListener {
  onPassed(): void;
  onProblem(message: string): void;
}

/** Checks the losses of a module in a worker of its own, so that a training goes on meanwhile and a loop without end can be ended. */
export function beginCheck(source: string, { onPassed, onProblem }: CheckListener): void {
  endCheck();
  checked.value = undefined;
  checkingSeconds.value = 0;
  const worker = startWorker((report) => {
    if (report.type !== "checked" && report.type !== "refused") return;
    endCheck();
    if (report.type === "refused") {
      onProblem(report.message);
      return;
    }
    checked.value = report.outcome;
    if (report.outcome.failed > 0) return;
    passed.value = new Set([...passed.value, source]);
    onPassed();
  });
  const clock = setInterval(() => {
    checkingSeconds.value = (checkingSeconds.value ?? 0) + 1;
    if (checkingSeconds.value < longestCheck) return;
    endCheck();
    onProblem(
      `own loss: its check was stopped after ${longestCheck} s. Look for a loop in it that has no end.`,
    );
  }, 1000);
  checker = { worker, clock };
  worker.send({ type: "check", source });
}

/** Ends a check, which then says nothing. */
export function endCheck(): void {
  checker?.worker.end();
  clearInterval(checker?.clock);
  checker = undefined;
  checkingSeconds.value = undefined;
}
