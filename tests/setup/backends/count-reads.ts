import type { TypedArray } from "@tensorflow/tfjs-core";

/** A backend whose two ways to JavaScript can be counted. */
export type Reader = {
  readSync(id: object): TypedArray;
  read(id: object): Promise<TypedArray>;
};

export interface ReadCounts {
  /** Reads that a kernel or an op waited for. */
  readonly sync: number;
  readonly all: number;
}

/** Counts what a backend gives to JavaScript, and by which of its two ways, until `stop`. */
export function countReads(backend: Reader): ReadCounts & { stop(): void } {
  const { readSync, read } = backend;
  const counts = {
    ...{ sync: 0, all: 0, waiting: false },
    stop: () => void Object.assign(backend, { readSync, read }),
  };
  backend.readSync = (id) => {
    counts.all++;
    if (!counts.waiting) counts.sync++;
    return readSync.call(backend, id);
  };
  backend.read = (id) => {
    counts.waiting = true;
    // That of tfjs-node is its readSync.
    const values = read.call(backend, id);
    counts.waiting = false;
    return values;
  };
  return counts;
}
