import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Collector, collector as builtInCollector } from "./collector.js";
import { makeStage } from "./make-stage.js";
import type { PlannedStage } from "./stage.js";
import { messageOf, type StageMessage } from "./stage-process.js";

export type Outcome =
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };

export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onStep: (step: number) => void;
}

/** Makes a stage; never throws. */
export type Worker = (stage: PlannedStage, options: WorkOptions) => Promise<Outcome>;

/** Makes stages in this process, for tests and where starting processes would take most of the time. */
export function inThisProcess(collector: Collector = builtInCollector): Worker {
  return async (stage, { signal = new AbortController().signal, onStep }) => {
    try {
      await makeStage(stage, { signal, collector, onStep });
      return { type: "done" };
    } catch (error) {
      return { type: "failed", message: messageOf(error) };
    }
  };
}

/** Makes a stage in a process of its own, with one thread. */
export const inOwnProcess: Worker = (stage, { signal, onStep }) => {
  // Beside this file, from sources as from dist.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const program = fileURLToPath(new URL(`./stage-process.${extension}`, import.meta.url));
  const child = fork(program, [], {
    env: { ...process.env, PUPIL_STAGE: "1", PUPIL_THREADS: "1" },
    execArgv: process.execArgv,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = `${stderr}${chunk.toString()}`.slice(-4000);
  });
  const stop = () => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop);
  return new Promise<Outcome>((resolve) => {
    let outcome: Outcome | undefined;
    child.on("message", (message: StageMessage) => {
      if (message.type === "ready") child.send(stage);
      else if (message.type === "step") onStep(message.step);
      else outcome = message;
    });
    child.once("error", (error) => {
      outcome ??= { type: "failed", message: error.message };
    });
    child.once("close", (code, killedBy) => {
      signal?.removeEventListener("abort", stop);
      const how = killedBy === null ? `ended with code ${code}` : `was ended by ${killedBy}`;
      const message = [`The process ${how}.`, stderr.trim()].filter(Boolean).join("\n");
      resolve(outcome ?? { type: "failed", message });
    });
  });
};
