import { createInterface } from "node:readline";
import type { MatmulVariant, ScenarioName } from "../scenarios.js";

/** What a contestant's process is asked for, one JSON object a line; answered by {@link Answer}. */
export type Task =
  /** Reads a file of `writeScenario`; replaces what was loaded before. */
  | { readonly task: "load"; readonly scenario: ScenarioName; readonly file: string }
  | { readonly task: "training"; readonly repeats: number }
  | { readonly task: "generation"; readonly repeats: number }
  | {
      readonly task: "matmul";
      readonly size: number;
      readonly variant: MatmulVariant;
      readonly repeats: number;
    }
  /** Largest use of memory in a step, over what is in use between steps. */
  | { readonly task: "memory"; readonly part: MemoryPart };

/**
 * `step`: forward, backward, clip, update. `loss`: from given hidden states, head, loss and the
 * gradient of the head.
 */
export type MemoryPart = "step" | "loss";

export interface Answer {
  /** Wall time of every repeat; for a matmul the mean, once. */
  readonly ms?: readonly number[];
  /** Training: the loss before every update. */
  readonly losses?: readonly number[];
  readonly peakBytes?: number;
}

/** Answers tasks from stdin until it closes, which is also what ends the process. */
export function serve(handle: (task: Task) => Promise<Answer>): void {
  // Libraries print to the console; stdout is for answers.
  for (const method of ["log", "info", "warn"] as const) console[method] = console.error;
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    handle(JSON.parse(line) as Task).then(
      (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  lines.on("close", () => process.exit(0));
  process.stdout.write(`${JSON.stringify({})}\n`);
}

const { ppid } = process;

/**
 * Ends this process if the benchmark has gone. To be called between steps: while they run one after
 * the other, nothing else notices.
 */
export function exitIfOrphaned(): void {
  if (process.ppid !== ppid) process.exit(1);
}
