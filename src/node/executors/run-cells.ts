import { PupilError } from "../../errors/index.js";
import type { CellEvent, RunnableCell } from "./cell.js";
import { CellBook, type Flight } from "./cell-book.js";
import { Contact } from "./contact.js";
import { type Executor, pause } from "./executor.js";
import type { Journal, JournalState, StoppedAt } from "./journal.js";
import { Settler } from "./settle-cells.js";
import { Submitter } from "./submit-cells.js";

export interface RunCellsOptions {
  readonly executor: Executor;
  readonly journal: Journal;
  /** What the journal said before. */
  readonly before: JournalState;
  /** How often a cell that was lost, or died without a word, is submitted again. */
  readonly retries: number;
  /** So long a result may take to be seen after its job has ended: other hosts see files late. */
  readonly settleMs?: number;
  /** Aborts to end; with the reason `"cancel"` the jobs of a cluster end too. */
  readonly signal?: AbortSignal | undefined;
  readonly report: (event: CellEvent) => void;
  /** Called between looks with the cells that run: those that are to end early. */
  readonly watch?:
    | ((running: readonly string[]) => Promise<ReadonlyMap<string, StoppedAt>>)
    | undefined;
}

/** Longest time between two calls of `watch`. */
const watchMs = 500;
/** How long cancelled jobs of a cluster are waited for. */
const cancelMs = 60_000;

/**
 * Runs the cells that are not finished, each once those that it needs are there. One that fails fails those
 * that need it, and no other. What an engine has already, from this process or one before, is not submitted
 * again; what was lost is.
 *
 * @param cells each after those that it needs
 * @throws PupilError where the engine refuses the jobs
 */
export async function runCells(
  cells: readonly RunnableCell[],
  options: RunCellsOptions,
): Promise<void> {
  await new Runner(cells, options).run();
}

class Runner {
  private readonly cells: readonly RunnableCell[];
  private readonly options: RunCellsOptions;
  private readonly book = new CellBook();
  private readonly contact: Contact;
  private readonly submitter: Submitter;
  private readonly settler: Settler;
  /** Jobs that are to end, and whose engine was not told yet. */
  private toCancel: readonly string[] = [];
  private cancelledAt: number | undefined;

  constructor(cells: readonly RunnableCell[], options: RunCellsOptions) {
    this.cells = cells;
    this.options = options;
    const { executor, journal, report, before, retries, settleMs = 0 } = options;
    const { book } = this;
    this.contact = new Contact(report);
    this.submitter = new Submitter({
      ...{ executor, journal, book, contact: this.contact, cells },
      asked: executor.outlivesRunner ? before.asked : new Map(),
      started: (flight) => this.started(flight),
    });
    const isStopping = () => this.isStopping;
    this.settler = new Settler({ executor, journal, book, retries, settleMs, isStopping, report });
  }

  private get isStopping(): boolean {
    return this.options.signal?.aborted === true;
  }

  async run(): Promise<void> {
    const { executor, journal, signal = new AbortController().signal } = this.options;
    const { book, submitter } = this;
    await this.begin();
    for (;;) {
      if (this.isStopping && (await this.end())) return;
      if (!this.isStopping) await submitter.submitReady();
      const isWaiting = book.ready.size > 0 || submitter.hasAsked;
      if (book.inFlight.size === 0 && (this.isStopping || !isWaiting)) break;
      await this.untilChanged(executor, signal);
      await this.look();
      await this.watch();
    }
    await journal.write({ type: "closed" });
  }

  /** What is there, what is in flight, and what can begin. */
  private async begin(): Promise<void> {
    const { before, executor, report } = this.options;
    const { book } = this;
    const finished = await allFinished(this.cells);
    const settled = new Set<string>();
    for (const [index, cell] of this.cells.entries()) {
      const at = before.stopped.get(cell.id);
      if (finished[index] === true) report({ type: "found", id: cell.id });
      else if (at !== undefined) report({ type: "stopped", id: cell.id, at });
      else {
        book.open(cell, index, before.attempts.get(cell.id) ?? 0);
        continue;
      }
      settled.add(cell.id);
    }
    book.connect((id) => settled.has(id));
    const isAsked = new Set(executor.outlivesRunner ? [...before.asked.values()].flat() : []);
    const first = [...book.entries.values()].filter((entry) => {
      const { id } = entry.cell;
      const job = executor.outlivesRunner ? before.inFlight.get(id) : undefined;
      if (job !== undefined) book.fly(entry, job, true);
      return job === undefined && entry.missing === 0 && !isAsked.has(id);
    });
    // The last one first: each is then added at the end.
    for (const entry of first.reverse()) book.ready.add(entry);
  }

  private started(flight: Flight): void {
    if (flight.startedAt !== undefined) return;
    flight.startedAt = performance.now();
    this.options.report({ type: "started", id: flight.entry.cell.id, job: flight.job });
  }

  private async untilChanged(executor: Executor, signal: AbortSignal): Promise<void> {
    // Once it has aborted, it wakes nobody any more.
    const wake = signal.aborted ? new AbortController().signal : signal;
    // What looks from time to time anyway needs no second clock.
    if (executor.outlivesRunner || this.options.watch === undefined) return executor.changed(wake);
    const either = new AbortController();
    const stop = () => either.abort();
    wake.addEventListener("abort", stop);
    await Promise.race([executor.changed(either.signal), pause(watchMs, either.signal)]);
    stop();
    wake.removeEventListener("abort", stop);
  }

  /** Looks where the jobs are that are in flight, and at no others. */
  private async look(): Promise<void> {
    const { executor } = this.options;
    const { settler } = this;
    const flights = [...this.book.inFlight.values()];
    if (flights.length === 0) return;
    const states = await this.contact.try(() => executor.states(this.book.jobs()));
    if (states === undefined) return;
    const perJob = new Map<string, number>();
    for (const { job } of flights) perJob.set(job, (perJob.get(job) ?? 0) + 1);
    for (const flight of flights) {
      const state = states.get(flight.job);
      if (state === undefined) continue;
      if (state.type === "waiting" || state.type === "running") flight.isAdopted = false;
      if (state.type === "waiting") continue;
      if (state.type === "running") {
        this.started(flight);
        // Of several cells that share a job, one can be done before the job is.
        const isShared = executor.outlivesRunner && (perJob.get(flight.job) ?? 0) > 1;
        if (isShared && (await flight.entry.cell.isFinished())) await settler.done(flight);
        continue;
      }
      await settler.settle(flight, state);
    }
  }

  private async watch(): Promise<void> {
    const { watch } = this.options;
    if (watch === undefined || this.isStopping) return;
    const running = [...this.book.inFlight.values()].filter(
      ({ startedAt, stop }) => startedAt !== undefined && stop === undefined,
    );
    const stops = await watch(running.map(({ entry }) => entry.cell.id));
    const jobs: string[] = [];
    for (const flight of running) {
      const stop = stops.get(flight.entry.cell.id);
      if (stop === undefined) continue;
      flight.stop = stop;
      jobs.push(flight.job);
    }
    if (jobs.length > 0 || this.toCancel.length > 0) await this.cancel(jobs);
  }

  /** Tells the engine; if it is away, the next time. */
  private async cancel(jobs: readonly string[]): Promise<void> {
    const all = [...this.toCancel, ...jobs];
    const isTold = await this.contact.try(async () => {
      await this.options.executor.cancel(all);
      return true;
    });
    this.toCancel = isTold === true ? [] : all;
  }

  /** After an abort; true where nothing is left to wait for. */
  private async end(): Promise<boolean> {
    const { executor, journal, signal, report } = this.options;
    const jobs = this.book.jobs();
    if (executor.outlivesRunner && signal?.reason !== "cancel") {
      await journal.write({ type: "left", jobs: jobs.length });
      const cancelWith = executor.cancelCommand?.(jobs);
      report({ type: "left", jobs, ...(cancelWith === undefined ? {} : { cancelWith }) });
      return true;
    }
    if (this.cancelledAt === undefined) {
      this.cancelledAt = performance.now();
      await this.cancel(jobs);
    } else if (this.toCancel.length > 0) await this.cancel([]);
    const isOver = performance.now() - this.cancelledAt > cancelMs;
    if (!executor.outlivesRunner || !isOver || jobs.length === 0) return false;
    throw new PupilError(
      `${jobs.length} jobs have not ended ${cancelMs / 1000} s after they were cancelled.`,
      {
        field: executor.name,
        remedy: executor.cancelCommand?.(jobs) ?? "Look at them with the engine's own tools.",
      },
    );
  }
}

/** Of many cells some at once: a folder on a network answers late. */
async function allFinished(cells: readonly RunnableCell[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (let start = 0; start < cells.length; start += 64) {
    const some = cells.slice(start, start + 64);
    found.push(...(await Promise.all(some.map((cell) => cell.isFinished()))));
  }
  return found;
}
