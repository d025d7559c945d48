import { PupilError } from "../../errors/index.js";
import type { DataFile } from "./data-file.js";

/** First bytes of files that are often given by mistake, and what to do with them. */
const signatures: readonly (readonly [
  bytes: readonly number[],
  problem: string,
  remedy: string,
])[] = [
  [[0xff, 0xfe], "is UTF-16 text", "Convert it to UTF-8 first."],
  [[0xfe, 0xff], "is UTF-16 text", "Convert it to UTF-8 first."],
  [[0x1f, 0x8b], "is compressed (gzip)", "Unpack it first."],
  [[0x28, 0xb5, 0x2f, 0xfd], "is compressed (Zstandard)", "Unpack it first."],
  [[0x50, 0x4b, 0x03, 0x04], "is a zip archive", "Unpack it first."],
  [[0x50, 0x41, 0x52, 0x31], "is a Parquet file", 'Name it .parquet, or set format to "parquet".'],
  [
    [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31],
    "is an Arrow file",
    "Export the data as Parquet (datasets: dataset.to_parquet(…)).",
  ],
];

/**
 * The UTF-8 text of a file in pieces, without a leading byte order mark; a character is never cut.
 *
 * @throws PupilError naming the line for bytes that are not UTF-8, and saying what the file is where
 *   its first bytes or a zero byte show that it is no text
 */
export async function* readTextPieces(file: DataFile): AsyncGenerator<string, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  let isFirst = true;
  const decode = (bytes?: Uint8Array): string => {
    try {
      const text = bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
      if (text.includes("\0")) throw new Error("zero");
      return text;
    } catch (cause) {
      throw notText(file, line + lineOfFault(bytes), cause);
    }
  };
  for await (const bytes of file.chunks()) {
    if (isFirst) checkSignature(file, bytes);
    isFirst = false;
    const text = decode(bytes);
    line += countLineEnds(text);
    if (text !== "") yield text;
  }
  decode();
}

/** The lines of a file with their numbers from 1, without their ends (`\n` or `\r\n`). */
export async function* readLines(
  file: DataFile,
): AsyncGenerator<{ readonly text: string; readonly number: number }, void> {
  let rest = "";
  let number = 0;
  const strip = (text: string) => (text.endsWith("\r") ? text.slice(0, -1) : text);
  for await (const piece of readTextPieces(file)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() as string;
    for (const text of lines) yield { text: strip(text), number: ++number };
  }
  if (rest !== "") yield { text: strip(rest), number: ++number };
}

export function countLineEnds(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function checkSignature(file: DataFile, bytes: Uint8Array): void {
  const found = signatures.find(([signature]) => signature.every((byte, i) => bytes[i] === byte));
  if (found === undefined) return;
  const [, problem, remedy] = found;
  throw new PupilError(`${problem}, not UTF-8 text.`, { field: file.name, remedy });
}

/** Line ends before the first bytes of a piece that are not text. */
function lineOfFault(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return 0;
  // Without `fatal`, the first fault becomes U+FFFD.
  const text = new TextDecoder("utf-8").decode(bytes);
  const at = text.search(/[\0\ufffd]/);
  return countLineEnds(at < 0 ? "" : text.slice(0, at));
}

function notText(file: DataFile, line: number, cause: unknown): PupilError {
  return new PupilError("has bytes that are not UTF-8 text.", {
    field: `${file.name}:${line}`,
    remedy: "Convert the file to UTF-8; if it is not text at all, name its format in the config.",
    cause,
  });
}
