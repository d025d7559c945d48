import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { PupilError } from "../../../errors/index.js";
import type { Executor } from "../../executors/executor.js";
import type { CellOutcome, RunnableCell } from "../../executors/cell.js";
import { makeFolder } from "../../files/atomic.js";
import { takeResults } from "./results-in-logs.js";
import { isFinished, type PlannedStage } from "./stage.js";
import { inlineWords, type StageOrder } from "./stage-order.js";

export interface StageCellsOptions {
  /** Folder of orders and outcomes. */
  readonly jobs: string;
  /** What makes a stage; the words for its order follow. */
  readonly command: readonly string[];
  readonly executor: Pick<Executor, "sharesFolder" | "name">;
}

/** Stages as cells that any executor runs: each a command line with the file of its order. */
export function stageCells({ jobs, command, executor }: StageCellsOptions) {
  const made = new Set<string>();
  return (stage: PlannedStage): RunnableCell => {
    const { id, needs } = stage;
    const order = orderPath(jobs, id);
    const outcome = outcomePath(jobs, id);
    if (!executor.sharesFolder && (needs.length > 0 || stage.kind !== "run")) {
      throw new PupilError(
        `"${stage.name}" is a stage among others, whose products do not fit into a log.`,
        { field: executor.name, remedy: "Let results come back through a shared folder." },
      );
    }
    return {
      ...{ id, needs, isFinished: () => isFinished(stage) },
      async prepare() {
        if (!executor.sharesFolder) {
          return { id, command: [...command, ...inlineWords({ stage })], folder: stage.folder };
        }
        const folder = dirname(order);
        if (!made.has(folder)) await makeFolder(folder);
        made.add(folder);
        await rm(outcome, { force: true });
        const text = JSON.stringify({ stage, outcome: resolve(outcome) } satisfies StageOrder);
        // Written anew whenever it is submitted: a torn one is never read.
        await writeFile(order, text);
        return { id, command: [...command, resolve(order)], folder: stage.folder };
      },
      outcome: () => readOutcome(outcome),
      ...(executor.sharesFolder ? {} : { fetch: (logs: string) => takeResults(logs, stage) }),
    };
  };
}

/** In a folder for each of the first two digits: one for all would be slow to list. */
export function orderPath(jobs: string, id: string): string {
  return join(jobs, id.slice(0, 2), `${id}.json`);
}

function outcomePath(jobs: string, id: string): string {
  return join(jobs, id.slice(0, 2), `${id}.outcome.json`);
}

async function readOutcome(path: string): Promise<CellOutcome | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as CellOutcome;
  } catch {
    // Written as a whole; a file of something else says nothing.
    return undefined;
  }
}
