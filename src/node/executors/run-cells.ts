import { createHash } from "node:crypto";
import { PupilError } from "../../errors/index.js";
import type { CellEvent, CellOutcome, RunnableCell } from "./cell.js";
import { EngineAwayError, type Executor, type JobState, pause } from "./executor.js";
import type { Journal, JournalState, StoppedAt } from "./journal.js";
import { ReadyCells } from "./ready-cells.js";

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

interface Entry {
  readonly cell: RunnableCell;
  readonly index: number;
  /** How many of the cells that it needs are not there yet. */
  missing: number;
  losses: number;
  failures: number;
  /** Of the last time that it was stopped. */
  step: number;
  readonly exclude: Set<string>;
  attempts: number;
}

interface Flight {
  readonly job: string;
  readonly entry: Entry;
  startedAt: number | undefined;
  /** Whether a process before this one had submitted it, and it was not looked at since. */
  isAdopted: boolean;
  /** When its job had ended and its result was not there. */
  missedAt?: number;
  stop?: StoppedAt;
}

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
  private readonly entries = new Map<string, Entry>();
  private readonly dependents = new Map<string, Entry[]>();
  private readonly ready = new ReadyCells<Entry>();
  private readonly inFlight = new Map<string, Flight>();
  private readonly settled = new Set<string>();
  private isAway = false;
  /** Chunks whose submit failed half-way, or in a process before, by key. */
  private readonly asked: Map<string, readonly string[]>;
  private cancelledAt: number | undefined;
  private readonly cells: readonly RunnableCell[];
  private readonly byId: ReadonlyMap<string, RunnableCell>;
  private readonly options: RunCellsOptions;

  constructor(cells: readonly RunnableCell[], options: RunCellsOptions) {
    this.cells = cells;
    this.byId = new Map(cells.map((cell) => [cell.id, cell]));
    this.options = options;
    this.asked = new Map(options.before.asked);
  }

  private get isStopping(): boolean {
    return this.options.signal?.aborted === true;
  }

  async run(): Promise<void> {
    const { executor, journal, signal = new AbortController().signal } = this.options;
    await this.begin();
    for (;;) {
      if (this.isStopping && (await this.end())) return;
      if (!this.isStopping) await this.submitReady();
      if (this.inFlight.size === 0 && (this.isStopping || !this.isWaiting())) break;
      await this.untilChanged(executor, signal);
      await this.look();
      await this.watch();
    }
    await journal.write({ type: "closed" });
  }

  /** What is there, what is in flight, and what can begin. */
  private async begin(): Promise<void> {
    const { before, executor } = this.options;
    const finished = await allFinished(this.cells);
    for (const [index, cell] of this.cells.entries()) {
      if (finished[index] === true) {
        this.settled.add(cell.id);
        this.options.report({ type: "found", id: cell.id });
      } else if (before.stopped.has(cell.id)) {
        this.settled.add(cell.id);
        const at = before.stopped.get(cell.id) as StoppedAt;
        this.options.report({ type: "stopped", id: cell.id, at });
      } else {
        const attempts = before.attempts.get(cell.id) ?? 0;
        const entry: Entry = {
          ...{ cell, index, missing: 0, losses: 0, failures: 0, step: -1, attempts },
          exclude: new Set(),
        };
        this.entries.set(cell.id, entry);
      }
    }
    const isAsked = new Set([...this.asked.values()].flat());
    const first: Entry[] = [];
    for (const entry of this.entries.values()) {
      for (const need of entry.cell.needs) {
        if (this.settled.has(need)) continue;
        entry.missing += 1;
        const list = this.dependents.get(need) ?? [];
        list.push(entry);
        this.dependents.set(need, list);
      }
      const { id } = entry.cell;
      const job = executor.outlivesRunner ? before.inFlight.get(id) : undefined;
      if (job !== undefined) {
        this.inFlight.set(id, { job, entry, startedAt: undefined, isAdopted: true });
      } else if (entry.missing === 0 && !isAsked.has(id)) first.push(entry);
    }
    // The last one first: each is then added at the end.
    for (const entry of first.reverse()) this.ready.add(entry);
    if (!executor.outlivesRunner) this.asked.clear();
  }

  private isWaiting(): boolean {
    return this.ready.size > 0 || this.asked.size > 0;
  }

  private async submitReady(): Promise<void> {
    const { executor } = this.options;
    for (const [key, ids] of this.asked) {
      const entries = ids.flatMap((id) => this.entries.get(id) ?? []);
      // A cell of it that is finished has no entry any more; the engine still knows them by their order.
      const cells = ids.flatMap((id) => this.byId.get(id) ?? []);
      if (cells.length !== ids.length || entries.length === 0) {
        this.asked.delete(key);
        for (const entry of entries) if (!this.inFlight.has(entry.cell.id)) this.ready.add(entry);
        continue;
      }
      if (!(await this.submit(key, cells, true, []))) return;
    }
    while (this.ready.size > 0 && this.inFlight.size < executor.capacity) {
      const most = Math.min(executor.batch, executor.capacity - this.inFlight.size);
      const chunk = this.takeChunk(most);
      const hash = createHash("sha256");
      for (const { cell, attempts } of chunk) hash.update(`${cell.id} ${attempts}\n`);
      const key = `pupil-${hash.digest("hex").slice(0, 20)}`;
      const cells = chunk.map(({ cell }) => cell);
      const [first] = chunk;
      if (!(await this.submit(key, cells, false, [...(first?.exclude ?? [])]))) return;
    }
  }

  /** The next cells, as long as they exclude the same nodes. */
  private takeChunk(most: number): Entry[] {
    const chunk: Entry[] = [];
    let exclude: string | undefined;
    while (chunk.length < most) {
      const next = this.ready.peek();
      if (next === undefined) break;
      const own = [...next.exclude].sort().join();
      if (exclude !== undefined && own !== exclude) break;
      exclude = own;
      chunk.push(this.ready.take() as Entry);
    }
    return chunk;
  }

  /** False where the engine is away: it is tried again with the same key. */
  private async submit(
    key: string,
    cells: readonly RunnableCell[],
    again: boolean,
    exclude: readonly string[],
  ): Promise<boolean> {
    const { executor, journal } = this.options;
    const ids = cells.map(({ id }) => id);
    const commands = await Promise.all(cells.map((cell) => cell.prepare()));
    if (executor.outlivesRunner && !again) {
      await journal.write({ type: "submitting", key, cells: ids }, { sync: true });
    }
    let jobs: readonly string[];
    try {
      jobs = await executor.submit(commands, { key, again, exclude });
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      this.asked.set(key, ids);
      this.away(error);
      return false;
    }
    this.asked.delete(key);
    this.back();
    const { outlivesRunner: sync } = executor;
    await journal.write({ type: "submitted", key, cells: ids, jobs }, { sync });
    for (const [i, id] of ids.entries()) {
      const entry = this.entries.get(id);
      if (entry === undefined) continue;
      const job = jobs[i] as string;
      entry.attempts += 1;
      const flight: Flight = { job, entry, startedAt: undefined, isAdopted: false };
      this.inFlight.set(id, flight);
      if (!sync) this.started(flight);
    }
    return true;
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
    const flights = [...this.inFlight.values()];
    if (flights.length === 0) return;
    const jobs = [...new Set(flights.map(({ job }) => job))];
    let states: ReadonlyMap<string, JobState>;
    try {
      states = await executor.states(jobs);
      this.back();
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      this.away(error);
      return;
    }
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
        if (isShared && (await flight.entry.cell.isFinished())) await this.done(flight);
        continue;
      }
      await this.settle(flight, state);
    }
  }

  /** What a job that has ended, one way or another, means for its cell. */
  private async settle(flight: Flight, state: JobState): Promise<void> {
    const { cell } = flight.entry;
    const { executor } = this.options;
    if (cell.fetch !== undefined && state.type === "ended") {
      await cell.fetch(await executor.logs(flight.job));
    }
    if (await cell.isFinished()) return this.done(flight);
    if (flight.stop !== undefined) return this.stopped(flight, flight.stop);
    if (this.isStopping) {
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

  /** No result and no failure: it is made when the ablation is continued. Nothing is said where it was asked for here. */
  private async cancelled(flight: Flight, message: string | undefined): Promise<void> {
    const { id } = flight.entry.cell;
    this.inFlight.delete(id);
    if (message === undefined) return;
    await this.options.journal.write({ type: "ended", cell: id, how: "cancelled", message });
    this.options.report({ type: "cancelled", id, message });
  }

  private hasSettled(flight: Flight): boolean {
    flight.missedAt ??= performance.now();
    return performance.now() - flight.missedAt >= (this.options.settleMs ?? 0);
  }

  private async done(flight: Flight): Promise<void> {
    const { id } = flight.entry.cell;
    this.inFlight.delete(id);
    this.entries.delete(id);
    this.settled.add(id);
    const now = performance.now();
    const seconds = (now - (flight.startedAt ?? now)) / 1000;
    await this.options.journal.write({ type: "ended", cell: id, how: "done" });
    this.options.report({ type: "done", id, seconds });
    for (const dependent of this.dependents.get(id) ?? []) {
      dependent.missing -= 1;
      const isNew = !this.inFlight.has(dependent.cell.id) && this.entries.has(dependent.cell.id);
      if (dependent.missing === 0 && isNew) this.ready.add(dependent);
    }
    this.dependents.delete(id);
  }

  private async stopped(flight: Flight, at: StoppedAt): Promise<void> {
    const { id } = flight.entry.cell;
    this.inFlight.delete(id);
    this.entries.delete(id);
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
    this.exclude(entry, state);
    await this.again(flight, message);
  }

  /** Gone without a word. */
  private async lost(flight: Flight, state: JobState): Promise<void> {
    const { entry, job } = flight;
    entry.losses += 1;
    const { executor, retries } = this.options;
    const said = "message" in state ? state.message : "It ended without a result.";
    if (entry.losses <= retries) {
      if (state.type === "failed") this.exclude(entry, state);
      return this.again(flight, said);
    }
    const logs = executor.outlivesRunner ? await executor.logs(job).catch(() => "") : "";
    const tail = logs.trim().split("\n").slice(-20).join("\n");
    await this.fail(flight, [said, tail].filter(Boolean).join("\n"));
  }

  private exclude(entry: Entry, state: JobState): void {
    if ("node" in state && state.node !== undefined) entry.exclude.add(state.node);
  }

  private async again(flight: Flight, message: string): Promise<void> {
    const { id } = flight.entry.cell;
    this.inFlight.delete(id);
    await this.options.journal.write({ type: "ended", cell: id, how: "again", message });
    this.options.report({ type: "again", id, message });
    this.ready.add(flight.entry);
  }

  private async fail(flight: Flight, message: string): Promise<void> {
    const { id } = flight.entry.cell;
    this.inFlight.delete(id);
    this.entries.delete(id);
    await this.options.journal.write({ type: "ended", cell: id, how: "failed", message });
    this.options.report({ type: "failed", id, message });
    const fallen = [...(this.dependents.get(id) ?? [])];
    for (const { cell } of fallen) {
      if (!this.entries.delete(cell.id)) continue;
      this.options.report({ type: "failed", id: cell.id, message, because: id });
      fallen.push(...(this.dependents.get(cell.id) ?? []));
    }
  }

  private async watch(): Promise<void> {
    const { watch, executor } = this.options;
    if (watch === undefined || this.isStopping) return;
    const running = [...this.inFlight.values()].filter(
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
    if (jobs.length > 0) await this.tryCancel(executor, jobs);
  }

  private async tryCancel(executor: Executor, jobs: readonly string[]): Promise<void> {
    try {
      await executor.cancel(jobs);
    } catch (error) {
      if (!(error instanceof EngineAwayError)) throw error;
      this.away(error);
    }
  }

  /** After an abort; true where nothing is left to wait for. */
  private async end(): Promise<boolean> {
    const { executor, journal, signal, report } = this.options;
    const jobs = [...new Set([...this.inFlight.values()].map(({ job }) => job))];
    if (executor.outlivesRunner && signal?.reason !== "cancel") {
      await journal.write({ type: "left", jobs: jobs.length });
      report({ type: "left", jobs });
      return true;
    }
    if (this.cancelledAt === undefined) {
      this.cancelledAt = performance.now();
      await this.tryCancel(executor, jobs);
    }
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

  private away(error: EngineAwayError): void {
    if (this.isAway) return;
    this.isAway = true;
    this.options.report({ type: "away", message: error.message });
  }

  private back(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.options.report({ type: "back" });
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
