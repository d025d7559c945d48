import { closest } from "fastest-levenshtein";

/** What a user can act on: which field, what was there, what to do. */
export interface ErrorDetails {
  /** Path of the field, file, or argument at fault: `trainer.steps`, `train.jsonl:57`. */
  readonly field?: string;
  readonly value?: unknown;
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** An error caused by input, not by a bug: the CLI prints its message without a stack. */
export class PupilError extends Error {
  readonly field: string | undefined;
  readonly value: unknown;
  readonly remedy: string | undefined;

  constructor(problem: string, details: ErrorDetails = {}) {
    const said = shorten(problem);
    const parts = [details.field ? `${shorten(details.field)}: ${said}` : said];
    if (details.remedy) parts.push(shorten(details.remedy));
    super(parts.join(" "), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "PupilError";
    this.field = details.field;
    this.value = details.value;
    this.remedy = details.remedy;
  }
}

/** More than this of a text that a file brought is no help to who reads the message. */
const longestPart = 4_000;

function shorten(text: string): string {
  if (text.length <= longestPart) return text;
  return `${text.slice(0, longestPart)}… (${text.length.toLocaleString("en-US")} characters)`;
}

/** Something computed is NaN or infinite: the parameters that it was computed with may be lost. */
export class NotFiniteError extends PupilError {}

/** "Did you mean X? Allowed: a, b, c." for a name that is not in the list. */
export function oneOf(given: string, allowed: readonly string[]): string {
  const nearest = allowed.length > 0 && given.length > 0 ? closest(given, [...allowed]) : undefined;
  const list = `Allowed: ${allowed.join(", ")}.`;
  return nearest === undefined ? list : `Did you mean "${nearest}"? ${list}`;
}
