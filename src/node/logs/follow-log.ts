import { open } from "node:fs/promises";
import type { LogRow, StepRow } from "../../trainers/index.js";
import { parseRow } from "./log-file.js";

/** A log as far as it is, with its steps thinned out so that any log fits. */
export interface FollowedLog {
  /** One of every `every` steps, in order. */
  readonly steps: readonly StepRow[];
  readonly every: number;
  /** The last step, thinned out or not. */
  readonly lastStep: StepRow | undefined;
  /** All other rows, in order. */
  readonly others: readonly Exclude<LogRow, StepRow>[];
  /** Lines that are no rows. */
  readonly unreadable: number;
}

/** Follows a log that another process may write, cut back or delete. */
export interface LogFollower {
  readonly log: FollowedLog;
  /** Reads what is new; returns whether anything is. */
  update(): Promise<boolean>;
}

/** Of a line that is a step by its first characters alone: most of them are never parsed. */
const stepStart = Buffer.from('{"version":2,"type":"step",');
const block = 2 ** 20;
/** How many bytes before the end tell whether a log is the one that was read. */
const tailSize = 256;

/** @param mostSteps that are kept; with twice as many, every other one goes */
export function followLog(path: string, mostSteps = 2000): LogFollower {
  const empty = () => ({
    ...{ steps: [] as StepRow[], every: 1, numSteps: 0, unreadable: 0 },
    others: [] as Exclude<LogRow, StepRow>[],
    ...{ lastLine: undefined as string | undefined, position: 0, tail: Buffer.alloc(0) },
  });
  let state = empty();

  const addStep = (read: () => StepRow | undefined) => {
    if (state.numSteps++ % state.every !== 0) return;
    const row = read();
    if (row === undefined) state.unreadable++;
    else state.steps.push(row);
    if (state.steps.length < 2 * mostSteps) return;
    state.steps = state.steps.filter((_, i) => i % 2 === 0);
    state.every *= 2;
  };
  const addLine = (line: Buffer) => {
    if (line.subarray(0, stepStart.length).equals(stepStart)) {
      state.lastLine = line.toString("utf8");
      addStep(() => stepOf(line.toString("utf8")));
      return;
    }
    const row = parseRow(line.toString("utf8"));
    if (row === undefined) state.unreadable++;
    else if (row.type !== "step") state.others.push(row);
    else {
      state.lastLine = line.toString("utf8");
      addStep(() => row);
    }
  };
  /** Whether what was read before is still there: a resumed run cuts its log, and a folder can be another one. */
  const isSame = async (file: Awaited<ReturnType<typeof open>>, size: number) => {
    if (size < state.position) return false;
    const { length } = state.tail;
    const now = Buffer.alloc(length);
    await file.read(now, 0, length, state.position - length);
    return now.equals(state.tail);
  };
  const update = async (): Promise<boolean> => {
    const file = await open(path, "r").catch(() => undefined);
    if (file === undefined) {
      const hadRows = state.position > 0;
      state = empty();
      return hadRows;
    }
    try {
      const { size } = await file.stat();
      const isOther = !(await isSame(file, size));
      if (isOther) state = empty();
      const from = state.position;
      let rest: Buffer = Buffer.alloc(0);
      for (let at = from; at < size; ) {
        const chunk = Buffer.alloc(Math.min(block, size - at));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
        if (bytesRead === 0) break;
        at += bytesRead;
        const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
        let start = 0;
        for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
          addLine(bytes.subarray(start, end));
          start = end + 1;
        }
        state.position += start;
        if (start > 0)
          state.tail = Buffer.from(bytes.subarray(Math.max(0, start - tailSize), start));
        rest = bytes.subarray(start);
      }
      return isOther || state.position > from;
    } finally {
      await file.close();
    }
  };
  return {
    get log() {
      const { steps, every, others, unreadable, lastLine } = state;
      const lastStep = lastLine === undefined ? undefined : stepOf(lastLine);
      return { steps, every, lastStep, others, unreadable };
    },
    update,
  };
}

function stepOf(line: string): StepRow | undefined {
  const row = parseRow(line);
  return row?.type === "step" ? row : undefined;
}
