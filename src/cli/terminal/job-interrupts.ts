import { createInterface, type Interface } from "node:readline";
import { type EndingSignal, exitCodes } from "./interrupts.js";
import type { StageProgress } from "./stage-progress.js";
import { writeLine } from "./terminal.js";

/** Ctrl-C and SIGTERM of a command that has started jobs. */
export interface JobInterrupts extends Disposable {
  readonly signal: AbortSignal;
  /** Of the signal that ended it; undefined if none did. */
  exitCode(): number | undefined;
}

type Answer = "leave" | "cancel" | "go on";
const answers: Readonly<Record<string, Answer>> = { l: "leave", c: "cancel", g: "go on" };

/**
 * Runs of this machine are stopped. Of those of a cluster a person at a terminal is asked whether they go on; where
 * nobody can answer, they do.
 *
 * @param cluster its name; undefined where runs are processes of this machine
 */
export function jobInterrupts(
  cluster: string | undefined,
  progress: Pick<StageProgress, "hold">,
): JobInterrupts {
  const stop = new AbortController();
  const say = (text: string) => writeLine(process.stderr, text);
  const canAsk = process.stdin.isTTY && process.stderr.isTTY;
  let code: number | undefined;
  let asking: Interface | undefined;
  const end = (name: EndingSignal, answer: Answer) => {
    code = exitCodes[name];
    stop.abort(answer);
  };
  const ask = () => {
    const release = progress.hold();
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    asking = terminal;
    terminal.setPrompt(
      `The jobs of ${cluster}: (l)eave them running, (c)ancel them, or (g)o on watching? [l] `,
    );
    // A second Ctrl-C and an end of input are no answers, and who gives none loses nothing.
    let answer: Answer = "leave";
    let isAnswered = false;
    terminal.on("line", (text) => {
      const given = text.trim() === "" ? "leave" : answers[text.trim().charAt(0).toLowerCase()];
      if (given === undefined) return terminal.prompt();
      answer = given;
      isAnswered = true;
      terminal.close();
    });
    terminal.once("SIGINT", () => terminal.close());
    terminal.once("close", () => {
      asking = undefined;
      if (!isAnswered) process.stderr.write("\n");
      if (answer === "cancel")
        say("Cancelling; the jobs save what they have. Press Ctrl-C again to quit.");
      release();
      if (answer !== "go on") end("SIGINT", answer);
    });
    terminal.prompt();
  };
  const onSignal = (name: EndingSignal) => {
    if (stop.signal.aborted) process.exit(exitCodes[name]);
    if (cluster !== undefined && canAsk && name === "SIGINT") {
      if (asking === undefined) ask();
      return;
    }
    end(name, "leave");
    asking?.close();
    if (cluster === undefined) {
      say("Stopping; the runs save what they have. Press Ctrl-C again to quit.");
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: stop.signal,
    exitCode: () => code,
    [Symbol.dispose]: () => {
      // Whatever was asked has become idle: what was in flight has ended.
      asking?.close();
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
