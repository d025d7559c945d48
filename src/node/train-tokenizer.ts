import { readdir } from "node:fs/promises";
import { extname } from "node:path";
import { z } from "zod";
import {
  bpeSpecialTokens,
  mergesWanted,
  trainBpe,
  type TrainBpeReport,
  wordCounter,
} from "../data/index.js";
import { oneOf, PupilError } from "../errors/index.js";
import { writeFolderAtomic } from "./atomic.js";
import { streamLines, streamText, textFileSize } from "./stream-text.js";

export const trainTokenizerSchema = z.strictObject({
  output: z.string().describe("Folder for tokenizer.json and tokenizer_config.json; must be new."),
  vocabSize: z
    .int()
    .min(259)
    .default(4096)
    .describe("Ids in all: 256 bytes, the merges, <pad>, <end> and other special tokens."),
  minFrequency: z
    .int()
    .min(1)
    .default(2)
    .describe("A pair of tokens is merged only if it occurs so often in the text."),
  specialTokens: z
    .array(z.string())
    .default([])
    .describe('Special tokens beside <pad> and <end>, for example ["<user>"].'),
  fields: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Fields of JSON lines to read, joined. Default: text, else prompt and completion."),
});
export type TrainTokenizerOptions = z.output<typeof trainTokenizerSchema>;

/** What happens while a tokenizer is trained. */
export type TrainTokenizerEvent =
  | { readonly type: "reading"; readonly path: string; readonly bytes: number; readonly of: number }
  | { readonly type: "merging"; readonly merges: number; readonly of: number }
  | {
      readonly type: "finished";
      readonly report: TrainBpeReport;
      readonly path: string;
      readonly elapsedMs: number;
    };

/**
 * Trains a byte-level BPE tokenizer on text files and JSON lines (`.jsonl`, `.ndjson`), read piece by
 * piece, and writes its folder, complete or not at all.
 *
 * @throws PupilError if a file is missing, empty or no text, or the output exists
 */
export async function trainTokenizer(
  paths: readonly string[],
  options: TrainTokenizerOptions,
  onEvent: (event: TrainTokenizerEvent) => void = () => undefined,
): Promise<TrainBpeReport> {
  const start = performance.now();
  const { output, fields, ...training } = options;
  if (paths.length === 0) {
    throw new PupilError("There is no file to train on.", {
      remedy:
        "Name text files or JSON lines: pupil train-tokenizer corpus.txt output=my-tokenizer.",
    });
  }
  await requireNew(output);
  const merges = mergesWanted(training);
  const counter = wordCounter(bpeSpecialTokens(training.specialTokens));
  const sizes = await Promise.all(paths.map(textFileSize));
  for (const [i, path] of paths.entries()) {
    const of = sizes[i] as number;
    const before = counter.length;
    let bytes = 0;
    const report = (text: string): void => {
      bytes += Buffer.byteLength(text);
      onEvent({ type: "reading", path, bytes: Math.min(bytes, of), of });
    };
    if (isJsonLines(path)) await addRows(counter, path, fields, report);
    else await addText(counter, path, report);
    if (counter.length === before) {
      throw new PupilError("The file has no text.", {
        field: path,
        remedy: "Give a file with text to learn from.",
      });
    }
  }
  const trained = trainBpe(counter.counts, {
    ...training,
    onMerge: (done) => onEvent({ type: "merging", merges: done, of: merges }),
  });
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  await requireNew(output);
  await writeFolderAtomic(
    output,
    new Map([
      ["tokenizer.json", json(trained.json)],
      ["tokenizer_config.json", json(trained.configJson)],
    ]),
  );
  const { report } = trained;
  onEvent({ type: "finished", report, path: output, elapsedMs: performance.now() - start });
  return report;
}

const isJsonLines = (path: string) => [".jsonl", ".ndjson"].includes(extname(path).toLowerCase());

type Counter = ReturnType<typeof wordCounter>;

async function addText(counter: Counter, path: string, report: (text: string) => void) {
  for await (const part of streamText(path)) {
    counter.add(part);
    report(part);
  }
  counter.endText();
}

async function addRows(
  counter: Counter,
  path: string,
  fields: readonly string[] | undefined,
  report: (text: string) => void,
) {
  let number = 0;
  for await (const line of streamLines(path)) {
    number += 1;
    if (line.trim() !== "") {
      counter.add(rowText(line, `${path}:${number}`, fields));
      counter.endText();
    }
    report(`${line}\n`);
  }
}

/** The text of one JSON line. */
function rowText(line: string, where: string, fields: readonly string[] | undefined): string {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new PupilError(`is not valid JSON: ${reason}.`, { field: where, cause });
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw new PupilError("is not a JSON object.", { field: where, value: row });
  }
  const values = row as Record<string, unknown>;
  const names = fields ?? ("text" in values ? ["text"] : ["prompt", "completion"]);
  return names
    .map((name) => {
      const value = values[name];
      if (typeof value === "string") return value;
      const given = Object.keys(values);
      throw new PupilError(`has no text in a field "${name}".`, {
        field: where,
        value,
        remedy: `${oneOf(name, given)} Name the fields to read, for example fields=["${given[0] ?? "text"}"].`,
      });
    })
    .join("");
}

async function requireNew(output: string): Promise<void> {
  const names = await readdir(output).catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOTDIR" ? ["a file"] : [],
  );
  if (names.length === 0) return;
  throw new PupilError("The output exists and is not empty.", {
    field: "output",
    value: output,
    remedy: `Remove ${output}, or choose another folder: a tokenizer that models use must not change.`,
  });
}
