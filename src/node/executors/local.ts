import { type ChildProcess, spawn } from "node:child_process";
import type { CellCommand, Executor, JobState } from "./executor.js";

export interface LocalOptions {
  /** Processes at once. */
  readonly processes: number;
  /** Beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What a cell that is a Node process says with `process.send`. */
  readonly onMessage?: (id: string, message: unknown) => void;
}

interface Job {
  readonly child: ChildProcess;
  stderr: string;
  state: JobState;
}

/** The end of a process' errors that is kept. */
const keptCharacters = 4000;

/** Cells as processes of this machine. They end, with what they have saved, when this process does. */
export function localExecutor({ processes, env = {}, onMessage }: LocalOptions): Executor {
  const jobs = new Map<string, Job>();
  let wake: () => void = () => undefined;
  let hasChanged = false;
  const notify = () => {
    hasChanged = true;
    wake();
  };
  let count = 0;

  const start = ({ id, command }: CellCommand): string => {
    const [program = "", ...words] = command;
    const child = spawn(program, words, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const name = `${child.pid ?? "none"}-${++count}`;
    const job: Job = { child, stderr: "", state: { type: "running" } };
    jobs.set(name, job);
    child.stderr?.on("data", (chunk: Buffer) => {
      job.stderr = `${job.stderr}${chunk.toString()}`.slice(-keptCharacters);
    });
    if (onMessage !== undefined) child.on("message", (message) => onMessage(id, message));
    const end = (state: JobState) => {
      if (job.state.type === "running") job.state = state;
      notify();
    };
    child.once("error", (error) => end({ type: "failed", message: error.message }));
    child.once("close", (code, killedBy) => {
      if (code === 0) return end({ type: "ended" });
      const how = killedBy === null ? `ended with code ${code}` : `was ended by ${killedBy}`;
      const message = [`The process ${how}.`, job.stderr.trim()].filter(Boolean).join("\n");
      end({ type: "failed", message });
    });
    return name;
  };

  return {
    ...{ name: "local", outlivesRunner: false, sharesFolder: true },
    ...{ capacity: Math.max(1, processes), batch: 1 },
    submit: (cells) => Promise.resolve(cells.map(start)),
    states(asked) {
      const found = new Map<string, JobState>();
      for (const name of asked) {
        const state = jobs.get(name)?.state ?? { type: "lost", message: "The process is gone." };
        found.set(name, state);
        // Whoever was told that it ended does not ask again.
        if (state.type !== "running") jobs.delete(name);
      }
      return Promise.resolve(found);
    },
    cancel(asked) {
      for (const name of asked) jobs.get(name)?.child.kill("SIGTERM");
      return Promise.resolve();
    },
    logs: (name) => Promise.resolve(jobs.get(name)?.stderr ?? ""),
    changed(signal) {
      if (hasChanged || signal.aborted) {
        hasChanged = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const end = () => {
          signal.removeEventListener("abort", end);
          wake = () => undefined;
          hasChanged = false;
          resolve();
        };
        wake = end;
        signal.addEventListener("abort", end);
      });
    },
  };
}
