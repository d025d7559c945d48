import { oneOf, PupilError } from "../errors/index.js";
import type { Example } from "./types.js";

/** Names of the fields of a JSONL row. */
export interface JsonlFields {
  readonly prompt: string;
  readonly completion: string;
  /** If it is not given, a field called `answer` is taken from the rows that have one. */
  readonly answer?: string | undefined;
}

export interface JsonlOptions {
  /** Default: `prompt`, `completion` and, where rows have it, `answer`. */
  readonly fields?: JsonlFields;
  /** Put after every prompt, as part of it. */
  readonly separator?: string;
}

const defaultFields: JsonlFields = { prompt: "prompt", completion: "completion" };

/**
 * Examples from JSON lines: a whole text or its lines. Blank lines are skipped but counted, so that
 * line numbers are those of the file.
 *
 * @param source Name of the file, for errors such as `train.jsonl:57: …`.
 * @throws PupilError on broken JSON, a row that is no object, a missing field, a field that is not
 *   text (answers may be numbers), or when there is no row at all.
 */
export function parseJsonl(
  lines: string | Iterable<string>,
  source: string,
  options: JsonlOptions = {},
): Example[] {
  const examples: Example[] = [];
  let number = 0;
  for (const line of typeof lines === "string" ? lines.split("\n") : lines) {
    number += 1;
    const example = parseLine(line, number, source, options);
    if (example !== undefined) examples.push(example);
  }
  if (examples.length === 0) throw noRows(source);
  return examples;
}

/** `parseJsonl` for lines that arrive one by one. */
export async function* readJsonl(
  lines: AsyncIterable<string>,
  source: string,
  options: JsonlOptions = {},
): AsyncGenerator<Example, void> {
  let number = 0;
  let count = 0;
  for await (const line of lines) {
    number += 1;
    const example = parseLine(line, number, source, options);
    if (example === undefined) continue;
    count += 1;
    yield example;
  }
  if (count === 0) throw noRows(source);
}

function parseLine(
  line: string,
  number: number,
  source: string,
  { fields = defaultFields, separator = "" }: JsonlOptions,
): Example | undefined {
  const text = number === 1 ? line.replace(/^\ufeff/, "") : line;
  if (text.trim() === "") return undefined;
  const where = `${source}:${number}`;
  const row = parseRow(text, where);
  const prompt = textField(row, fields.prompt, "prompt", where) + separator;
  const completion = textField(row, fields.completion, "completion", where);
  const answer = answerField(row, fields, where);
  return answer === undefined ? { prompt, completion } : { prompt, completion, answer };
}

type Row = Readonly<Record<string, unknown>>;

function parseRow(text: string, where: string): Row {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PupilError(`is not valid JSON: ${reason}.`, {
      field: where,
      value: shorten(text),
      remedy: `The line is ${shorten(text)}. Every line must be one complete JSON object.`,
      cause,
    });
  }
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return row as Row;
  throw new PupilError(`is ${describe(row)}, not a JSON object.`, {
    field: where,
    value: row,
    remedy: 'Write {"prompt": "...", "completion": "..."} on every line.',
  });
}

function textField(row: Row, name: string, role: keyof JsonlFields, where: string): string {
  const value = requiredField(row, name, role, where);
  if (typeof value === "string") return value;
  throw wrongType(name, role, value, where);
}

function answerField(row: Row, fields: JsonlFields, where: string): string | undefined {
  const name = fields.answer ?? "answer";
  if (fields.answer === undefined) {
    // A field that is the completion already would be no short, checkable answer.
    const isTaken = fields.prompt === name || fields.completion === name;
    if (isTaken || !Object.hasOwn(row, name)) return undefined;
  }
  const value = requiredField(row, name, "answer", where);
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw wrongType(name, "answer", value, where);
}

function requiredField(row: Row, name: string, role: keyof JsonlFields, where: string): unknown {
  if (Object.hasOwn(row, name)) return row[name];
  const names = Object.keys(row);
  const found = names.length === 0 ? "The object is empty." : oneOf(name, names);
  throw new PupilError(`has no field "${name}".`, {
    field: where,
    value: name,
    remedy: `${found} Set fields.${role} to the name of the field with the ${role}.`,
  });
}

function wrongType(name: string, role: string, value: unknown, where: string): PupilError {
  return new PupilError(`the field "${name}" is ${describe(value)}, not text.`, {
    field: where,
    value,
    remedy: `Write the ${role} as a JSON string.`,
  });
}

function noRows(source: string): PupilError {
  return new PupilError("has no rows.", {
    field: source,
    remedy: "Give a file with one JSON object per line.",
  });
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `the ${typeof value} ${String(value)}`;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
