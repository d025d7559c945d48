import type { Random } from "../../tensors/index.js";
import { mix } from "../hash.js";

const rounds = 8;

/**
 * The index at a position of an endless sequence that goes through 0..count-1 in a new random order
 * every epoch. A function of its arguments alone and constant in time, so that a resumed run needs
 * no state and no permutation is stored.
 *
 * A keyed Feistel network permutes a power of four of at least `count`; results outside are sent
 * through it again ("cycle walking", Black & Rogaway 2002) until they fall inside.
 */
export function shuffledIndex(random: Random, count: number, position: number): number {
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(position) && position >= 0)) {
    throw new Error(
      `shuffledIndex needs a count above 0 and a position, got ${count}, ${position}.`,
    );
  }
  return permuteEpoch(random, count, Math.floor(position / count))(position % count);
}

/** The indices at `count` positions from `start` on, of `size` items. */
export function shuffledIndices(
  random: Random,
  size: number,
  start: number,
  count: number,
): number[] {
  let epoch = -1;
  let permute = (index: number) => index;
  return Array.from({ length: count }, (_, i) => {
    const position = start + i;
    if (Math.floor(position / size) !== epoch) {
      epoch = Math.floor(position / size);
      permute = permuteEpoch(random, size, epoch);
    }
    return permute(position % size);
  });
}

function permuteEpoch(random: Random, count: number, epoch: number): (index: number) => number {
  const stream = random.stream("shuffle", epoch);
  const keys = Array.from({ length: rounds }, () => stream.nextUint32());
  let halfBits = 1;
  while (4 ** halfBits < count) halfBits += 1;
  const half = 2 ** halfBits;
  return (index) => {
    let value = index;
    do {
      let left = Math.floor(value / half);
      let right = value % half;
      for (const key of keys) {
        [left, right] = [right, (left ^ mix(right ^ key)) & (half - 1)];
      }
      value = left * half + right;
    } while (value >= count);
    return value;
  };
}
