import type { RunEvent } from "../../node/index.js";
import { type Interrupts, listenForInterrupts } from "./interrupts.js";
import { type Progress, showProgress } from "./progress/progress.js";
import { writeLine } from "./terminal.js";

/** What a run is shown with. */
export interface RunView {
  /** Where Ctrl-C and SIGTERM are heard; listened to until the run has ended. */
  readonly interrupts: Interrupts;
  /** Writes a line above the progress. */
  line(text: string): void;
  /** From now on there is a line of progress, to so many steps. */
  begin(steps: number): void;
  /** Shows events until there are no more; the exit code of the process is that of a signal that ended it. */
  show(events: AsyncIterable<RunEvent>, ended: (event: Finished) => unknown): Promise<void>;
}

type Finished = Extract<RunEvent, { type: "finished" }>;

/** Listens for Ctrl-C, and shows a run in the terminal. */
export function viewRun(): RunView & Disposable {
  let progress: Progress | undefined;
  const line = (text: string) => {
    if (progress === undefined) writeLine(process.stderr, text);
    else progress.line(text);
  };
  const interrupts = listenForInterrupts(line);
  return {
    interrupts,
    line,
    begin(steps) {
      progress = showProgress(steps, process);
    },
    async show(events, ended) {
      try {
        for await (const event of events) {
          progress?.show(event);
          if (event.type === "started" || event.type === "resumed") interrupts.gracefully();
          if (event.type !== "finished") continue;
          if (event.stopped) process.exitCode = interrupts.exitCode() ?? 0;
          await ended(event);
        }
      } finally {
        progress?.end();
      }
    },
    [Symbol.dispose]: () => interrupts[Symbol.dispose](),
  };
}

/**
 * Runs a loop of one's own (`runLoop` of `pupil/node`) as `pupil train` does: with its progress, and with a
 * checkpoint at Ctrl-C.
 */
export async function showRun(
  steps: number,
  start: (signal: AbortSignal) => AsyncIterable<RunEvent>,
): Promise<void> {
  using view = viewRun();
  view.begin(steps);
  await view.show(start(view.interrupts.signal), ({ stopped }) => {
    if (stopped) view.line("Stopped; start it again to continue.");
  });
}
