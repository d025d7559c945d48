/**
 * One process for many runs of vitest: modules stay loaded, so that a run costs what its tests cost.
 * vitest would end the process after each run; here only `kill` does.
 */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { PoolOptions, PoolRunnerInitializer, PoolWorker } from "vitest/node";

type Listener = (message: unknown) => void;

let child: ChildProcess | undefined;
let isSetUp = false;

/** Ends the process, and with it whatever a mutant may have left behind. */
export async function killWorker(): Promise<void> {
  const old = child;
  child = undefined;
  isSetUp = false;
  if (old === undefined || old.exitCode !== null || old.signalCode !== null) return;
  const ended = new Promise((resolve) => old.once("exit", resolve));
  old.kill("SIGKILL");
  await ended;
}

export const warmPool: PoolRunnerInitializer = {
  name: "warm",
  createPoolWorker: (options) => new WarmWorker(options),
};

class WarmWorker implements PoolWorker {
  readonly name = "warm";
  readonly cacheFs = true;
  private readonly listeners: [string, Listener][] = [];

  private readonly options: PoolOptions;

  constructor(options: PoolOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) return;
    const { distPath, env, execArgv } = this.options;
    isSetUp = false;
    child = fork(join(distPath, "workers/forks.js"), [], {
      env: env as NodeJS.ProcessEnv,
      execArgv: [...execArgv, "--max-old-space-size=3000"],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
  }

  /** The process stays; only this run's listeners go. */
  async stop(): Promise<void> {
    for (const [event, listener] of this.listeners) child?.off(event, listener);
  }

  on(event: string, listener: Listener): void {
    this.listeners.push([event, listener]);
    child?.on(event, listener);
  }

  off(event: string, listener: Listener): void {
    child?.off(event, listener);
  }

  send(message: Parameters<PoolWorker["send"]>[0]): void {
    const { type } = message as { type?: string };
    if (type === "stop") return this.answer("stopped");
    if (type === "start" && isSetUp) return this.answer("started");
    if (type === "start") isSetUp = true;
    child?.send(message as object);
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  private answer(type: string): void {
    setImmediate(() => {
      for (const [event, listener] of this.listeners) {
        if (event === "message") listener({ __vitest_worker_response__: true, type });
      }
    });
  }
}
