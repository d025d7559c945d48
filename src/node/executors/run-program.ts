import { spawn } from "node:child_process";

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** `ENOENT` where there is no such program, `ETIMEDOUT` where it did not answer, the signal that ended it. */
  readonly error?: string;
}

/** Runs a program of an engine with words that no shell reads. */
export type RunProgram = (
  program: string,
  words: readonly string[],
  input?: string,
) => Promise<ProgramResult>;

/** No program of an engine takes longer while its controller is there. */
const timeoutMs = 60_000;

export const runProgram: RunProgram = (program, words, input) =>
  new Promise((resolve) => {
    // In a session of its own: Ctrl-C at the terminal is for this process, which asks what is meant, and would end
    // an sbatch half-way.
    const child = spawn(program, words, { detached: true });
    const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk: Buffer) => said[name].push(chunk));
    }
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGTERM");
    }, timeoutMs);
    const end = (code: number, error: string | null | undefined) => {
      clearTimeout(timer);
      const text = (name: "stdout" | "stderr") => Buffer.concat(said[name]).toString("utf8");
      const why = isLate ? "ETIMEDOUT" : error;
      resolve({
        ...{ code, stdout: text("stdout"), stderr: text("stderr") },
        ...(why === undefined || why === null ? {} : { error: why }),
      });
    };
    child.once("error", (error: NodeJS.ErrnoException) => end(1, error.code ?? error.message));
    child.once("close", (code, signal) => end(code ?? 1, signal));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
  });
