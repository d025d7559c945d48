import { charactersOf, replacement, type TextCharacter } from "./text-characters.js";

/** Stands for a position that has no counterpart. */
export const noPosition = -1;

/**
 * For every position between the bytes of `from` (length + 1 of them) the same position in `to`, or
 * `noPosition` inside a character that differs.
 *
 * The two may differ by what tokenizers change: case, accents, composition, white space, and bytes
 * that are no UTF-8 and were replaced by U+FFFD. From where the two have nothing in common any more,
 * only the last position is mapped.
 */
export function mapPositions(from: Uint8Array, to: Uint8Array): Int32Array {
  const positions = new Int32Array(from.length + 1).fill(noPosition);
  positions[0] = 0;
  const a = charactersOf(from);
  const b = charactersOf(to);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && left.text === right?.text) {
      mapCharacter(positions, left, right);
      i += 1;
      j += 1;
    } else if (left?.folded === "") {
      // What only one side has takes no room on the other.
      positions[left.end] = right?.start ?? to.length;
      i += 1;
    } else if (right?.folded === "") {
      j += 1;
    } else {
      const run = equalRun(a, i, b, j);
      if (run === undefined) break;
      [i, j] = run;
      positions[(a[i - 1] as TextCharacter).end] = (b[j - 1] as TextCharacter).end;
    }
  }
  positions[from.length] = to.length;
  return positions;
}

function mapCharacter(positions: Int32Array, from: TextCharacter, to: TextCharacter): void {
  // Behind a replacement character may be any bytes.
  const size = from.text === replacement ? 0 : from.end - from.start;
  for (let k = 1; k < size; k++) positions[from.start + k] = to.start + k;
  positions[from.end] = to.end;
}

/** The ends of the shortest runs from i and j that fold to the same; undefined if there are none. */
function equalRun(
  a: readonly TextCharacter[],
  i: number,
  b: readonly TextCharacter[],
  j: number,
): [number, number] | undefined {
  let [p, q] = [i, j];
  let [left, right] = ["", ""];
  do {
    const next = left.length <= right.length ? a[p++] : b[q++];
    if (next === undefined) return undefined;
    if (left.length <= right.length) left += next.folded;
    else right += next.folded;
    if (!left.startsWith(right) && !right.startsWith(left)) return undefined;
  } while (left !== right || q === j);
  return [p, q];
}
