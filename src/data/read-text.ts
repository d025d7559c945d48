import { PupilError } from "../errors/index.js";

/**
 * Checks a text that was read from a file, and drops a leading byte order mark. Line ends stay.
 *
 * @throws PupilError if there is no text.
 */
export function readText(text: string, source: string): string {
  const content = text.replace(/^\ufeff/, "");
  if (content.trim() !== "") return content;
  const problem = content === "" ? "is empty." : "has nothing but white space.";
  throw new PupilError(problem, { field: source, remedy: "Give a file with text." });
}

/** The two parts of a data set. */
export interface DataSplit<T> {
  readonly train: T;
  readonly validation: T;
}

/**
 * The first `1 - validationFraction` of a text for training and the rest for evaluation, counted in
 * UTF-16 units; a character is never cut in two. With 0.1 this is nanoGPT's split.
 */
export function splitText(text: string, validationFraction: number): DataSplit<string> {
  let cut = cutAt(text.length, validationFraction);
  const isInsidePair = /[\ud800-\udbff]/.test(text.charAt(cut - 1));
  if (isInsidePair && /[\udc00-\udfff]/.test(text.charAt(cut))) cut += 1;
  return { train: text.slice(0, cut), validation: text.slice(cut) };
}

/** The same for rows, each part getting at least one. */
export function splitRows<T>(
  rows: readonly T[],
  validationFraction: number,
): DataSplit<readonly T[]> {
  if (rows.length < 2) {
    throw new PupilError(`there is only ${rows.length} row, too few to keep some for evaluation.`, {
      value: rows.length,
      remedy: "Add rows, or give a validationPath.",
    });
  }
  const cut = cutAt(rows.length, validationFraction);
  const inside = Math.min(Math.max(cut, 1), rows.length - 1);
  return { train: rows.slice(0, inside), validation: rows.slice(inside) };
}

function cutAt(length: number, validationFraction: number): number {
  if (!(validationFraction > 0 && validationFraction < 1)) {
    throw new Error(`validationFraction must lie between 0 and 1, got ${validationFraction}.`);
  }
  return Math.floor(length * (1 - validationFraction));
}
