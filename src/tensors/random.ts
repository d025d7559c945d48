/** Multiplies two unsigned 32-bit integers; returns the high 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const middleLow = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000)) >>> 0;
}

/**
 * Philox4x32-10: four random 32-bit words from a 128-bit counter and a 64-bit key, without state.
 * The same (key, counter) gives the same words on every machine and backend.
 *
 * Source: Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3".
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** FNV-1a: turns the purpose of a stream ("rollout", "shuffle") into a key word. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * A stream of random numbers named by what it is for. Streams are values, not state: the numbers
 * depend only on (seed, path, index), so a resumed run needs no generator state, and adding a use
 * of randomness somewhere never changes the numbers elsewhere.
 *
 *     const noise = new Random(seed).stream("rollout", step, row);
 */
export class Random {
  private readonly key: readonly [number, number];
  private position = 0;
  private block: [number, number, number, number] = [0, 0, 0, 0];

  constructor(seed: number, key?: readonly [number, number]) {
    this.key = key ?? [seed >>> 0, Math.floor(seed / 0x1_0000_0000) >>> 0];
  }

  /** An independent stream for a purpose; numbers and names may be mixed. */
  stream(...path: (string | number)[]): Random {
    let key = this.key;
    for (const part of path) {
      const isName = typeof part === "string";
      const word = isName ? hashName(part) : part >>> 0;
      const high = isName ? 0 : Math.floor(part / 0x1_0000_0000) >>> 0;
      // Counter words 2 and 3 mark key derivation, so that no stream repeats its parent's numbers.
      const [a, b] = philox([word, high, isName ? 1 : 2, 0x7075_7069], key);
      key = [a, b];
    }
    return new Random(0, key);
  }

  /** Next unsigned 32-bit integer. */
  nextUint32(): number {
    const lane = this.position & 3;
    if (lane === 0) {
      const index = this.position / 4;
      this.block = philox([index >>> 0, Math.floor(index / 0x1_0000_0000) >>> 0, 0, 0], this.key);
    }
    this.position += 1;
    return this.block[lane] as number;
  }

  /** Uniform in the open interval (0, 1), with 32 bits; never 0, so its logarithm is finite. */
  uniform(): number {
    return (this.nextUint32() + 0.5) / 0x1_0000_0000;
  }

  /** Uniform integer in [0, bound), without modulo bias. */
  integer(bound: number): number {
    if (!(bound > 0 && Number.isInteger(bound) && bound <= 0x1_0000_0000)) {
      throw new Error(`Random.integer needs a whole bound in 1..2^32, got ${bound}.`);
    }
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    for (;;) {
      const word = this.nextUint32();
      if (word < limit) return word % bound;
    }
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** One element, uniformly. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }

  /** A random order of 0..count-1 (Fisher-Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i] as number;
      order[i] = order[j] as number;
      order[j] = kept;
    }
    return order;
  }
}
