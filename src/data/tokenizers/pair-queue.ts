/** A pair of tokens with its number of occurrences in the corpus. */
interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** The count with which the pair stands in the queue; never less than `count`. */
  queued: number;
  /** Places of the left token; some may be outdated. */
  places: number[];
}

/** Counts of pairs, and the most frequent one. */
export interface PairQueue {
  /** One more place of a pair, in a word that occurs `times` times. */
  add(left: number, right: number, place: number, times: number): void;
  remove(left: number, right: number, times: number): void;
  /** Puts the pairs that were first seen since the last call into the queue. */
  enqueueNew(): void;
  /** Takes the most frequent pair; places rise. Undefined if none is frequent enough. */
  takeBest(): Pick<Pair, "left" | "right" | "places"> | undefined;
}

/**
 * A binary heap of pairs. The count of a queued pair can only fall, so an outdated entry is found
 * when it comes up and goes back with its count of now.
 *
 * @param tokens Bytes of each token, read while the list grows: they decide between equal counts
 */
export function pairQueue(tokens: readonly string[], minFrequency: number): PairQueue {
  // Pairs by right token, by left token: two small-integer keys are much faster than one string.
  const byLeft: (Map<number, Pair> | undefined)[] = [];
  let fresh: Pair[] = [];
  const heap: Pair[] = [];

  const comesBefore = (a: Pair, b: Pair): boolean => {
    if (a.queued !== b.queued) return a.queued > b.queued;
    if (a.left !== b.left) return (tokens[a.left] as string) > (tokens[b.left] as string);
    return (tokens[a.right] as string) > (tokens[b.right] as string);
  };
  const push = (pair: Pair): void => {
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!comesBefore(pair, heap[parent] as Pair)) break;
      heap[index] = heap[parent] as Pair;
      index = parent;
    }
    heap[index] = pair;
  };
  const pop = (): Pair | undefined => {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && comesBefore(heap[child + 1] as Pair, heap[child] as Pair)) {
        child += 1;
      }
      if (!comesBefore(heap[child] as Pair, last)) break;
      heap[index] = heap[child] as Pair;
      index = child;
    }
    heap[index] = last;
    return top;
  };
  return {
    add(left, right, place, times) {
      const row = (byLeft[left] ??= new Map());
      const pair = row.get(right);
      if (pair !== undefined) {
        pair.count += times;
        pair.places.push(place);
        return;
      }
      const created = { left, right, count: times, queued: 0, places: [place] };
      row.set(right, created);
      fresh.push(created);
    },
    remove(left, right, times) {
      const pair = byLeft[left]?.get(right);
      if (pair !== undefined) pair.count -= times;
    },
    enqueueNew() {
      for (const pair of fresh) {
        if (pair.count < minFrequency || pair.count === 0) continue;
        pair.queued = pair.count;
        push(pair);
      }
      fresh = [];
    },
    takeBest() {
      for (let pair = pop(); pair !== undefined; pair = pop()) {
        if (pair.count === pair.queued) {
          byLeft[pair.left]?.delete(pair.right);
          return pair;
        }
        pair.queued = pair.count;
        if (pair.count >= minFrequency && pair.count > 0) push(pair);
        else byLeft[pair.left]?.delete(pair.right);
      }
      return undefined;
    },
  };
}
