import { execFile } from "node:child_process";

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** `ENOENT` where there is no such program, `ETIMEDOUT` where it did not answer. */
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
    const options = { maxBuffer: 2 ** 28, timeout: timeoutMs, encoding: "utf8" as const };
    const child = execFile(program, [...words], options, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, stdout, stderr });
      const { code, killed } = error;
      const isName = typeof code === "string";
      const why = killed === true ? "ETIMEDOUT" : isName ? code : undefined;
      resolve({
        ...{ stdout, stderr, code: typeof code === "number" ? code : 1 },
        ...(why === undefined ? {} : { error: why }),
      });
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input ?? "");
  });
