import type { CellEvent, CellOutcome } from "./cell.js";
import type { CellBook, Flight } from "./cell-book.js";
import type { Executor, JobState } from "./executor.js";
import type { Journal, StoppedAt } from "./journal.js";

export interface SettlerOptions {
  readonly executor: Executor;
  readonly journal: Journal;
  readonly book: CellBook;
  readonly retries: number;
  readonly settleMs: number;
  readonly isStopping: () => boolean;
  readonly report: (event: CellEvent) => void;
}

/** Decides what becomes of a cell whose job has ended: by its result, then by what it said itself, then by its engine. */
export class Settler {
  private readonly options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.options = options;
  }

  /** What a job that has ended, one way or another, means for its cell. */
  async settle(flight: Flight, state: JobState): Promise<void> {
    const { cell } = flight.entry;
    const { executor, isStopping } = this.options;
    if (cell.fetch !== undefined && state.type === "ended") {
      await cell.fetch(await executor.logs(flight.job));
    }
    if (await cell.isFinished()) return this.done(flight);
    if (flight.stop !== undefined) return this.stopped(flight, flight.stop);
    if (isStopping()) {
      const message = "Its job was cancelled with the ablation.";
      return this.cancelled(flight, executor.outlivesRunner ? message : undefined);
    }
    if (state.type === "cancelled") {
      // Whoever continues an ablation asks for what was cancelled before.
      if (flight.isAdopted) return this.again(flight, state.message);
      return this.cancelled(flight, state.message);
    }
    const outcome = await cell.outcome();
    if (outcome?.type === "failed") return this.failed(flight, state, outcome);
    if (outcome?.type === "stopped" && outcome.step > flight.entry.step) {
      flight.entry.step = outcome.step;
      return this.again(flight, `It was ended at step ${outcome.step} and goes on from there.`);
    }
    if (state.type === "ended" && !this.hasSettled(flight)) return;
    await this.lost(flight, state);
  }

  async done(flight: Flight): Promise<void> {
    const { id } = flight.entry.cell;
    this.options.book.done(id);
    const now = performance.now();
    const seconds = (now - (flight.startedAt ?? now)) / 1000;
    await this.options.journal.write({ type: "ended", cell: id, how: "done" });
    this.options.report({ type: "done", id, seconds });
  }

  /** No result and no failure: it is made when the ablation is continued. Nothing is said where it was asked for here. */
  private async cancelled(flight: Flight, message: string | undefined): Promise<void> {
    const { id } = flight.entry.cell;
    this.options.book.inFlight.delete(id);
    if (message === undefined) return;
    await this.options.journal.write({ type: "ended", cell: id, how: "cancelled", message });
    this.options.report({ type: "cancelled", id, message });
  }

  private hasSettled(flight: Flight): boolean {
    flight.missedAt ??= performance.now();
    return performance.now() - flight.missedAt >= this.options.settleMs;
  }

  private async stopped(flight: Flight, at: StoppedAt): Promise<void> {
    const { id } = flight.entry.cell;
    this.options.book.close(id);
    await this.options.journal.write({ type: "ended", cell: id, how: "stopped", stop: at });
    this.options.report({ type: "stopped", id, at });
  }

  /** A failure that the cell itself tells of: on a cluster it has a second try, elsewhere. */
  private async failed(
    flight: Flight,
    state: JobState,
    { message, isFinal }: CellOutcome & { type: "failed" },
  ): Promise<void> {
    const { entry } = flight;
    entry.failures += 1;
    const { executor, retries } = this.options;
    const mayBeNode = executor.outlivesRunner && retries > 0 && !isFinal && entry.failures < 2;
    if (!mayBeNode) return this.fail(flight, message);
    exclude(flight, state);
    await this.again(flight, message);
  }

  /** Gone without a word. */
  private async lost(flight: Flight, state: JobState): Promise<void> {
    const { entry, job } = flight;
    entry.losses += 1;
    const { executor, retries } = this.options;
    const said = "message" in state ? state.message : "It ended without a result.";
    if (entry.losses <= retries) {
      if (state.type === "failed") exclude(flight, state);
      return this.again(flight, said);
    }
    const logs = executor.outlivesRunner ? await executor.logs(job).catch(() => "") : "";
    const tail = logs.trim().split("\n").slice(-20).join("\n");
    await this.fail(flight, [said, tail].filter(Boolean).join("\n"));
  }

  private async again(flight: Flight, message: string): Promise<void> {
    const { id } = flight.entry.cell;
    const { book, journal, report } = this.options;
    book.inFlight.delete(id);
    await journal.write({ type: "ended", cell: id, how: "again", message });
    report({ type: "again", id, message });
    book.ready.add(flight.entry);
  }

  private async fail(flight: Flight, message: string): Promise<void> {
    const { id } = flight.entry.cell;
    const { book, journal, report } = this.options;
    const fallen = book.fail(id);
    await journal.write({ type: "ended", cell: id, how: "failed", message });
    report({ type: "failed", id, message });
    for (const needs of fallen) report({ type: "failed", id: needs, message, because: id });
  }
}

function exclude({ entry }: Flight, state: JobState): void {
  if ("node" in state && state.node !== undefined) entry.exclude.add(state.node);
}
