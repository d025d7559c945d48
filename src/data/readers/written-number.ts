import { isLosslessNumber, LosslessNumber, parse } from "lossless-json";
import { floatText } from "./float-text.js";

/**
 * A number of a row that JavaScript would write differently than the data does: `41.0`,
 * `1234567890123456789`, `1e5`. All others are plain numbers.
 */
export type WrittenNumber = LosslessNumber;

export function isWrittenNumber(value: unknown): value is WrittenNumber {
  return isLosslessNumber(value);
}

/** A float as Python writes it, where JavaScript would write it as an integer or with another exponent. */
export function writtenFloat(value: number): number | WrittenNumber {
  if (!Number.isFinite(value)) return value;
  const text = floatText(value);
  return isPlain(text) ? value : new LosslessNumber(text);
}

/** Whether a value of a row is an object with fields: a number that is kept as written is none. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !isWrittenNumber(value)
  );
}

/** Anything that looks like a number, also inside of texts: what it finds there only costs time. */
const numbers = /-?\d[\d.eE+-]*/g;

/** `JSON.parse`, but numbers keep what was written. @throws SyntaxError as JSON.parse does */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  for (const [number] of text.matchAll(numbers)) {
    if (!isPlain(number)) return parseLossless(text);
  }
  return value;
}

/** Unlike the engine's, this parser calls itself for every level. */
function parseLossless(text: string): unknown {
  try {
    return parse(text, undefined, options);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new SyntaxError("it is nested too deeply", { cause });
  }
}

/** Whether JavaScript's number is written the same, and is a whole one where Python's is. */
function isPlain(text: string): boolean {
  const number = Number(text);
  return String(number) === text && Number.isInteger(number) === /^-?\d+$/.test(text);
}

const options = {
  parseNumber: (text: string) => (isPlain(text) ? Number(text) : new LosslessNumber(text)),
  // As JSON.parse and Python do.
  onDuplicateKey: ({ newValue }: { newValue: unknown }) => newValue,
};
