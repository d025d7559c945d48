import type { CellCommand } from "./executor.js";
import type { StoppedAt } from "./journal.js";

/** How a cell says that it ended without a result. */
export type CellOutcome =
  | {
      readonly type: "failed";
      readonly message: string;
      /** Whether it would fail anywhere: its numbers are not finite, say. */
      readonly isFinal: boolean;
    }
  /** It was asked to end, and goes on from the step that it saved. */
  | { readonly type: "stopped"; readonly step: number };

/** A cell as whoever runs it needs it. */
export interface RunnableCell {
  readonly id: string;
  /** Cells whose results it reads. */
  readonly needs: readonly string[];
  /** Whether its result is there. */
  isFinished(): Promise<boolean>;
  /** Writes down what it has to do, before it is submitted. */
  prepare(): Promise<CellCommand>;
  /** Undefined if it said nothing: it was killed, or never began. */
  outcome(): Promise<CellOutcome | undefined>;
  /** Brings results of a job that shares no folder with this process. */
  fetch?(logs: string): Promise<void>;
}

export type CellEvent =
  | { readonly type: "found"; readonly id: string }
  | { readonly type: "started"; readonly id: string; readonly job: string }
  | { readonly type: "done"; readonly id: string; readonly seconds: number }
  | {
      readonly type: "failed";
      readonly id: string;
      readonly message: string;
      /** The cell that it needs and that failed. */
      readonly because?: string;
    }
  /** It is submitted again. */
  | { readonly type: "again"; readonly id: string; readonly message: string }
  /** Somebody took it out of the engine; it has to be asked for again. */
  | { readonly type: "cancelled"; readonly id: string; readonly message: string }
  | { readonly type: "stopped"; readonly id: string; readonly at: StoppedAt }
  /** The engine does not answer, or does again. */
  | { readonly type: "away"; readonly message: string }
  | { readonly type: "back" }
  | { readonly type: "left"; readonly jobs: readonly string[] };
