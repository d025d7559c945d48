import { hashHex, learnedPositions, type TokenSequence } from "../../data/index.js";

/**
 * Key of a row in a recording, 16 hexadecimal digits: a hash of its ids and of which of them are
 * learned. Names of rows and files have no part in it, so a row that was tokenized differently is
 * never taken for the recorded one.
 */
export function rowKey(row: TokenSequence): string {
  return hashHex(`${row.ids.join(",")};${learnedPositions(row).join(",")}`);
}
