import { createHash } from "node:crypto";
import type { RunnableCell } from "./cell.js";
import type { CellBook, Entry, Flight } from "./cell-book.js";
import type { Contact } from "./contact.js";
import type { Executor } from "./executor.js";
import type { Journal } from "./journal.js";

export interface SubmitterOptions {
  readonly executor: Executor;
  readonly journal: Journal;
  readonly book: CellBook;
  readonly contact: Contact;
  readonly cells: readonly RunnableCell[];
  /** Chunks whose submit failed half-way, or in a process before, by key. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
  readonly started: (flight: Flight) => void;
}

/** Hands over what can begin: written down before an engine is asked, and after it has answered. */
export class Submitter {
  private readonly asked: Map<string, readonly string[]>;
  private readonly byId: ReadonlyMap<string, RunnableCell>;
  private readonly options: SubmitterOptions;

  constructor(options: SubmitterOptions) {
    this.options = options;
    this.asked = new Map(options.asked);
    this.byId = new Map(options.cells.map((cell) => [cell.id, cell]));
  }

  /** Whether an engine was asked for cells, and nobody knows how that ended. */
  get hasAsked(): boolean {
    return this.asked.size > 0;
  }

  /** Everything that the engine takes now. */
  async submitReady(): Promise<void> {
    const { executor, book } = this.options;
    for (const [key, ids] of this.asked) {
      const entries = ids.flatMap((id) => book.entries.get(id) ?? []);
      // A cell of it that is finished has no entry any more; the engine still knows them by their order.
      const cells = ids.flatMap((id) => this.byId.get(id) ?? []);
      if (cells.length !== ids.length || entries.length === 0) {
        this.asked.delete(key);
        for (const entry of entries) if (!book.inFlight.has(entry.cell.id)) book.ready.add(entry);
        continue;
      }
      if (!(await this.submit(key, cells, true, []))) return;
    }
    while (book.ready.size > 0 && book.inFlight.size < executor.capacity) {
      const most = Math.min(executor.batch, executor.capacity - book.inFlight.size);
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
    const { ready } = this.options.book;
    const chunk: Entry[] = [];
    let exclude: string | undefined;
    while (chunk.length < most) {
      const next = ready.peek();
      if (next === undefined) break;
      const own = [...next.exclude].sort().join();
      if (exclude !== undefined && own !== exclude) break;
      exclude = own;
      chunk.push(ready.take() as Entry);
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
    const { executor, journal, book, contact, started } = this.options;
    const ids = cells.map(({ id }) => id);
    const commands = await Promise.all(cells.map((cell) => cell.prepare()));
    if (executor.outlivesRunner && !again) {
      await journal.write({ type: "submitting", key, cells: ids }, { sync: true });
    }
    const jobs = await contact.try(() => executor.submit(commands, { key, again, exclude }));
    if (jobs === undefined) {
      this.asked.set(key, ids);
      return false;
    }
    this.asked.delete(key);
    const { outlivesRunner: sync } = executor;
    await journal.write({ type: "submitted", key, cells: ids, jobs }, { sync });
    for (const [i, id] of ids.entries()) {
      const entry = book.entries.get(id);
      if (entry === undefined) continue;
      entry.attempts += 1;
      const flight = book.fly(entry, jobs[i] as string, false);
      if (!sync) started(flight);
    }
    return true;
  }
}
