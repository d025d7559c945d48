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

/**
 * What happens to cells.
 *
 * @typeParam Of how an event names its cell
 * @typeParam Because how a failure names the one that it comes from
 */
export type CellEvent<Of extends object = { readonly id: string }, Because = string> =
  | (Of & { readonly type: "found" })
  | (Of & { readonly type: "started"; readonly job: string })
  | (Of & { readonly type: "done"; readonly seconds: number })
  | (Of & {
      readonly type: "failed";
      readonly message: string;
      /** The cell that it needs and that failed. */
      readonly because?: Because;
    })
  /** It was lost, or failed in a way that may be its node's, and is submitted again. */
  | (Of & { readonly type: "again"; readonly message: string })
  /** Somebody took it out of the engine; it has to be asked for again. */
  | (Of & { readonly type: "cancelled"; readonly message: string })
  /** A rule ended it early. */
  | (Of & { readonly type: "stopped"; readonly at: StoppedAt })
  /** The engine does not answer, or does again. */
  | { readonly type: "away"; readonly message: string }
  | { readonly type: "back" }
  /** The jobs go on without this process. */
  | { readonly type: "left"; readonly jobs: readonly string[]; readonly cancelWith?: string };
