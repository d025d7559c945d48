import { PupilError } from "../../errors/index.js";
import type { TokenSequence } from "../types.js";

/** Where each of several sequences stands in rows that they share. */
export interface PackedRows {
  readonly numRows: number;
  /** Positions of the fullest row: the width that the rows need. */
  readonly longestRow: number;
  /** By sequence, in the order given. */
  readonly places: readonly { readonly row: number; readonly start: number }[];
  /** Share of the `numRows · longestRow` positions that no sequence has, 0 to 1. */
  readonly paddingShare: number;
}

/**
 * Puts sequences side by side into rows of at most `length` positions: as few rows as first-fit
 * decreasing finds (the longest first, each into the first row that has room; at most 11/9 of the
 * fewest possible and 6/9 of a row: Dósa 2007, "The tight bound of first fit decreasing bin-packing
 * algorithm"), evened out where that makes the fullest row shorter (the longest first, each into the
 * emptiest row: Graham 1969, "Bounds on multiprocessing timing anomalies"). Sequences of equal length
 * keep their order, so the result depends on nothing but the lengths.
 *
 * A sequence of n ids has n − 1 positions, each predicting the id after it.
 *
 * @throws PupilError naming a sequence that is too long for a row
 */
export function packSequences(sequences: readonly TokenSequence[], length: number): PackedRows {
  const sizes = sequences.map(({ ids }) => Math.max(0, ids.length - 1));
  const long = sizes.findIndex((size) => size > length);
  if (long !== -1) throw tooLong(sequences[long] as TokenSequence, long, length);
  const fewest = fill(sizes, (used, size) => {
    const fits = used.findIndex((taken) => taken + size <= length);
    return fits === -1 ? used.length : fits;
  });
  const { numRows } = fewest;
  const even = fill(sizes, (used) =>
    used.length < numRows ? used.length : used.indexOf(Math.min(...used)),
  );
  return even.longestRow < fewest.longestRow ? even : fewest;
}

/** Gives the sequences, the longest first, a place at the end of the row that is chosen for them. */
function fill(
  sizes: readonly number[],
  chooseRow: (used: readonly number[], size: number) => number,
): PackedRows {
  const used: number[] = [];
  const places = sizes.map(() => ({ row: 0, start: 0 }));
  const order = sizes.map((_, i) => i).sort((a, b) => (sizes[b] as number) - (sizes[a] as number));
  for (const i of order) {
    const size = sizes[i] as number;
    const row = chooseRow(used, size);
    const start = used[row] ?? 0;
    places[i] = { row, start };
    used[row] = start + size;
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const longestRow = used.reduce((longest, taken) => Math.max(longest, taken), 0);
  const room = used.length * longestRow;
  const paddingShare = room === 0 ? 0 : 1 - total / room;
  return { numRows: used.length, longestRow, places, paddingShare };
}

function tooLong({ ids, id }: TokenSequence, index: number, length: number): PupilError {
  return new PupilError(
    `${ids.length} tokens do not fit into a packed row of ${length} positions.`,
    {
      field: id ?? `sequence ${index}`,
      value: ids.length,
      remedy: `Give rows of ${ids.length - 1} positions or more, or leave the sequence out.`,
    },
  );
}
