import { z } from "zod";
import {
  bpeSpecialTokens,
  type DataFile,
  type DataRow,
  formatOfName,
  mergesWanted,
  readRows,
  readTextPieces,
  trainBpe,
  type TrainBpeReport,
  wordCounter,
} from "../../data/index.js";
import { oneOf, PupilError } from "../../errors/index.js";
import { writeFolderAtomic } from "../files/atomic.js";
import { openDataFile } from "../files/open-data-file.js";
import { requireEmptyFolder } from "../files/require-empty-folder.js";

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
    .describe("Fields of rows to read, joined. Default: text, else prompt and completion."),
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
 * Trains a byte-level BPE tokenizer on text files and rows of data files (JSON lines, JSON, CSV, TSV,
 * Parquet, by the file's name), read piece by piece, and writes its folder, complete or not at all.
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
        "Name text files or files of rows: pupil train-tokenizer corpus.txt output=my-tokenizer.",
    });
  }
  await requireEmptyFolder(output);
  const merges = mergesWanted(training);
  const counter = wordCounter(bpeSpecialTokens(training.specialTokens));
  // All are there before any is read.
  for (const file of await Promise.all(paths.map((path) => openDataFile(path)))) {
    const path = file.name;
    const before = counter.length;
    const watched = watchReading(file, (bytes) => {
      onEvent({ type: "reading", path, bytes, of: file.byteLength });
    });
    const format = formatOfName(path) ?? "text";
    if (format === "text") await addText(counter, watched);
    else await addRows(counter, watched, fields);
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
  await requireEmptyFolder(output);
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

/** The same file; says after every piece how many bytes were read. */
function watchReading(file: DataFile, onRead: (bytes: number) => void): DataFile {
  return {
    ...file,
    async *chunks() {
      let bytes = 0;
      for await (const chunk of file.chunks()) {
        yield chunk;
        bytes += chunk.length;
        onRead(bytes);
      }
    },
  };
}

type Counter = ReturnType<typeof wordCounter>;

async function addText(counter: Counter, file: DataFile) {
  for await (const part of readTextPieces(file)) counter.add(part);
  counter.endText();
}

async function addRows(counter: Counter, file: DataFile, fields: readonly string[] | undefined) {
  for await (const row of readRows(file)) {
    counter.add(rowText(row, fields));
    counter.endText();
  }
}

function rowText({ row, where }: DataRow, fields: readonly string[] | undefined): string {
  const names = fields ?? ("text" in row ? ["text"] : ["prompt", "completion"]);
  return names
    .map((name) => {
      const value = row[name];
      if (typeof value === "string") return value;
      const given = Object.keys(row);
      throw new PupilError(`has no text in a field "${name}".`, {
        field: where,
        value,
        remedy: `${oneOf(name, given)} Name the fields to read, for example fields=["${given[0] ?? "text"}"].`,
      });
    })
    .join("");
}
