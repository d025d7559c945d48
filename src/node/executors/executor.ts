import { PupilError } from "../../errors/index.js";

/** What an engine runs: a command line and a folder, nothing else. */
export interface CellCommand {
  /** Hash of the config that decides its result. */
  readonly id: string;
  readonly command: readonly string[];
  /** Where its results go; all cells run in the working folder of the process that submits them. */
  readonly folder: string;
}

/** Where a job is, as its engine sees it. */
export type JobState =
  /** `why` as the engine says it: `Resources`, `JobHeldAdmin`. */
  | { readonly type: "waiting"; readonly why?: string }
  | { readonly type: "running"; readonly node?: string }
  /** It ended by itself, with exit code 0. */
  | { readonly type: "ended"; readonly node?: string }
  | { readonly type: "failed"; readonly message: string; readonly node?: string }
  /** Somebody else took it out of the engine. */
  | { readonly type: "cancelled"; readonly message: string }
  /** Gone through no fault of its own: preempted, its node failed, or the engine has forgotten it. */
  | { readonly type: "lost"; readonly message: string; readonly node?: string };

export interface SubmitOptions {
  /** The same for the same cells and attempt, so that what an engine may have already is found there. */
  readonly key: string;
  /** Whether this was tried before, and nobody knows how that ended. */
  readonly again: boolean;
  /** Nodes that the cells must not run on. */
  readonly exclude: readonly string[];
}

/** Runs cells: processes of this machine, or an engine that a cluster has already. */
export interface Executor {
  readonly name: string;
  /** Whether jobs go on when this process ends. */
  readonly outlivesRunner: boolean;
  /** Whether what a cell writes is seen here; if not, its command line holds all that it needs, and its log its results. */
  readonly sharesFolder: boolean;
  /** Most cells that it is given at a time: those that have not ended. */
  readonly capacity: number;
  /** Most cells of one submit. */
  readonly batch: number;
  /**
   * Hands cells over; the id of each one's job. Several cells may have one job, which runs them one after another.
   *
   * @throws EngineAwayError where it may work later
   */
  submit(cells: readonly CellCommand[], options: SubmitOptions): Promise<readonly string[]>;
  /** Of jobs that have not ended when they were last asked for; each of them has a state. */
  states(jobs: readonly string[]): Promise<ReadonlyMap<string, JobState>>;
  /** Asks jobs to end; they save what they have. One that has ended is left alone. */
  cancel(jobs: readonly string[]): Promise<void>;
  /** The end of what a job wrote. */
  logs(job: string): Promise<string>;
  /** Returns when a state may have changed, or once the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
  /** How a person takes jobs out without this program, for messages. */
  cancelCommand?(jobs: readonly string[]): string;
}

/** An engine does not answer, or takes no more just now: to be tried again, nothing is lost. */
export class EngineAwayError extends PupilError {}

/** Waits, or until the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
