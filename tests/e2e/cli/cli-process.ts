import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../../..", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command line from source, as `pupil <args>`. */
export function startCli(args: readonly string[], cwd: string, env = process.env) {
  return start(join(repository, "src/cli/main.ts"), args, cwd, env);
}

/** Runs a script as `npx tsx` does in a clone. */
export function runScript(path: string, args: readonly string[], cwd: string): Promise<Finished> {
  return start(path, args, cwd).finished;
}

function start(path: string, args: readonly string[], cwd: string, env = process.env) {
  const tsx = fileURLToPath(import.meta.resolve("tsx"));
  const child = spawn(process.execPath, ["--import", tsx, path, ...args], {
    cwd,
    // tsx looks for path aliases from the working folder on.
    env: { ...env, TSX_TSCONFIG_PATH: join(repository, "tsconfig.json") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, finished };
}

export function runCli(args: readonly string[], cwd: string, env = process.env): Promise<Finished> {
  return startCli(args, cwd, env).finished;
}
