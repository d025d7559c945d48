import type { Frame, StepRow } from "../../training/protocol.js";

/** Steps and frames that are kept: memory stays flat however long a run is. */
const mostRows = 4_000;
const mostFrames = 260;

/** Adds steps; where there are too many, of the older ones every second is left out. */
export function addRows(rows: readonly StepRow[], added: readonly StepRow[]): StepRow[] {
  return thinned([...rows, ...added], mostRows);
}

/** Adds a frame, in the place of one of the same step. */
export function addFrame(frames: readonly Frame[], frame: Frame): Frame[] {
  return thinned([...frames.filter(({ step }) => step !== frame.step), frame], mostFrames);
}

/** The first and the last stay. */
function thinned<T>(list: T[], most: number): T[] {
  if (list.length <= most) return list;
  return list.filter((_, i) => i % 2 === 0 || i === list.length - 1);
}
