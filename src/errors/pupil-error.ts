import { distance } from "fastest-levenshtein";

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

/** The device that tensors are on is lost, or what was computed on it is wrong: nothing can be read from it any more. */
export class DeviceError extends PupilError {}

/** "Did you mean X? Allowed: a, b, c." for a name that is not in the list; X only where it is near. */
export function oneOf(given: string, allowed: readonly string[]): string {
  const near = nearest(given, allowed);
  const list = `Allowed: ${allowed.join(", ")}.`;
  return near === undefined ? list : `Did you mean "${near}"? ${list}`;
}

/**
 * The name that was probably meant: at most two letters in five are wrong. Case, dashes, underscores and
 * dots do not count; two neighbouring letters that changed places count once. Where none is so near, it is the
 * only one that ends with what was given: `temperature` of `samplingTemperature`.
 */
export function nearest(given: string, allowed: readonly string[]): string | undefined {
  const mistakes = (name: string) => mistakesIn(plain(given), plain(name));
  const most = (name: string) => Math.max(plain(given).length, plain(name).length) / 2.5;
  const near = allowed.filter((name) => mistakes(name) <= most(name));
  const [closest] = near.sort((a, b) => mistakes(a) - mistakes(b));
  if (closest !== undefined || plain(given).length < 4) return closest;
  const longer = allowed.filter((name) => plain(name).endsWith(plain(given)));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Whether two names differ in no more than case, dashes, underscores and dots. */
export function isSameName(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

const plain = (name: string) => name.toLowerCase().replace(/[-_. ]/g, "");

function mistakesIn(given: string, meant: string): number {
  const letters = [...given];
  const i = letters.findIndex((letter, at) => letter !== meant[at]);
  const swapped = [...letters.slice(0, i), letters[i + 1], letters[i], ...letters.slice(i + 2)];
  return i >= 0 && swapped.join("") === meant ? 1 : distance(given, meant);
}
