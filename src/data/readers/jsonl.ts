import { PupilError } from "../../errors/index.js";
import { describeValue, type Reader, shorten } from "./reader.js";
import { readLines } from "./text-pieces.js";
import { isRecord, parseJson } from "./written-number.js";

/** One JSON object a line. Blank lines are skipped but counted. */
export const jsonlReader: Reader = {
  extensions: ["jsonl", "ndjson"],
  content: "one JSON object per line",
  async *read(file) {
    for await (const { text, number } of readLines(file)) {
      if (text.trim() === "") continue;
      const where = `${file.name}:${number}`;
      const remedy = "Every line must be one complete JSON object.";
      yield { row: parseObject(text, where, remedy), where };
    }
  },
};

/** @throws PupilError naming `where` for text that is not one JSON object */
export function parseObject(text: string, where: string, remedy: string): Record<string, unknown> {
  let row: unknown;
  try {
    row = parseJson(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PupilError(`is not valid JSON: ${reason}.`, {
      field: where,
      value: shorten(text),
      remedy: `The text is ${shorten(text)}. ${remedy}`,
      cause,
    });
  }
  if (isRecord(row)) return row;
  throw new PupilError(`is ${describeValue(row)}, not a JSON object.`, {
    field: where,
    value: row,
    remedy: 'Write rows such as {"prompt": "...", "completion": "..."}.',
  });
}
