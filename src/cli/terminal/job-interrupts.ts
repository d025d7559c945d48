import { createInterface } from "node:readline/promises";
import type { StageProgress } from "./stage-progress.js";
import { writeLine } from "./terminal.js";

/** Ctrl-C and SIGTERM of a command that has started jobs. */
export interface JobInterrupts extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Runs of this machine are stopped. Of those of a cluster a person at a terminal is asked whether they go on; where
 * nobody can answer, they do.
 *
 * @param cluster its name; undefined where runs are processes of this machine
 */
export function jobInterrupts(
  cluster: string | undefined,
  progress: Pick<StageProgress, "end">,
): JobInterrupts {
  const stop = new AbortController();
  const say = (text: string) => writeLine(process.stderr, text);
  const canAsk = process.stdin.isTTY && process.stderr.isTTY;
  let isAsking = false;
  const ask = async () => {
    isAsking = true;
    progress.end();
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    // A second Ctrl-C is no answer, and who gives none loses nothing.
    terminal.once("SIGINT", () => stop.abort("leave"));
    const question = `The jobs of ${cluster}: (l)eave them running, (c)ancel them, or (g)o on watching? [l] `;
    const answer = await terminal.question(question, { signal: stop.signal }).catch(() => "l");
    terminal.close();
    isAsking = false;
    if (/^g/i.test(answer)) return;
    const isCancelled = /^c/i.test(answer);
    if (isCancelled) say("Cancelling; the jobs save what they have. Press Ctrl-C again to quit.");
    stop.abort(isCancelled ? "cancel" : "leave");
  };
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(130);
    if (cluster !== undefined && canAsk && name === "SIGINT") {
      if (!isAsking) void ask();
      return;
    }
    stop.abort("leave");
    if (cluster === undefined) {
      say("Stopping; the runs save what they have. Press Ctrl-C again to quit.");
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: stop.signal,
    [Symbol.dispose]: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
