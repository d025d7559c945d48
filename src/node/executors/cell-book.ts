import type { RunnableCell } from "./cell.js";
import type { StoppedAt } from "./journal.js";
import { ReadyCells } from "./ready-cells.js";

/** A cell that has neither a result nor a failure. */
export interface Entry {
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

/** A cell that an engine has. */
export interface Flight {
  readonly job: string;
  readonly entry: Entry;
  startedAt: number | undefined;
  /** Whether a process before this one had submitted it, and it was not looked at since. */
  isAdopted: boolean;
  /** When its job had ended and its result was not there. */
  missedAt?: number;
  stop?: StoppedAt;
}

/** What cells wait for one another, can begin, or are in flight. */
export class CellBook {
  readonly entries = new Map<string, Entry>();
  readonly ready = new ReadyCells<Entry>();
  readonly inFlight = new Map<string, Flight>();
  private readonly dependents = new Map<string, Entry[]>();

  /** Takes a cell in that is to be made. */
  open(cell: RunnableCell, index: number, attempts: number): void {
    const entry: Entry = {
      ...{ cell, index, missing: 0, losses: 0, failures: 0, step: -1, attempts },
      exclude: new Set(),
    };
    this.entries.set(cell.id, entry);
  }

  /** Once all are in: counts what each still needs. */
  connect(isSettled: (id: string) => boolean): void {
    for (const entry of this.entries.values()) {
      for (const need of entry.cell.needs) {
        if (isSettled(need)) continue;
        entry.missing += 1;
        const list = this.dependents.get(need) ?? [];
        list.push(entry);
        this.dependents.set(need, list);
      }
    }
  }

  fly(entry: Entry, job: string, isAdopted: boolean): Flight {
    const flight: Flight = { job, entry, startedAt: undefined, isAdopted };
    this.inFlight.set(entry.cell.id, flight);
    return flight;
  }

  /** Its result is there: what needed nothing else can begin. */
  done(id: string): void {
    this.close(id);
    for (const dependent of this.dependents.get(id) ?? []) {
      dependent.missing -= 1;
      const isNew = !this.inFlight.has(dependent.cell.id) && this.entries.has(dependent.cell.id);
      if (dependent.missing === 0 && isNew) this.ready.add(dependent);
    }
    this.dependents.delete(id);
  }

  /** There will be no result: of the cell, and of those that need it, whose ids are returned. */
  fail(id: string): string[] {
    this.close(id);
    const fallen = [...(this.dependents.get(id) ?? [])];
    const ids: string[] = [];
    for (const { cell } of fallen) {
      if (!this.entries.delete(cell.id)) continue;
      ids.push(cell.id);
      fallen.push(...(this.dependents.get(cell.id) ?? []));
    }
    return ids;
  }

  /** It is not in flight, and nobody will submit it. */
  close(id: string): void {
    this.inFlight.delete(id);
    this.entries.delete(id);
  }

  /** The jobs in flight, each once. */
  jobs(): string[] {
    return [...new Set([...this.inFlight.values()].map(({ job }) => job))];
  }
}
