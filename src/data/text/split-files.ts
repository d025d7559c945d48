import { oneOf, PupilError } from "../../errors/index.js";
import { type DataFormat, formatOfName } from "../readers/index.js";

export interface SplitOptions {
  readonly split: string;
  /** Reads only files of this format. */
  readonly format?: DataFormat | undefined;
  /** Name of the folder, for messages. */
  readonly source: string;
}

/** Files that describe a data set and hold no rows of it. */
const descriptions = /(^|\/)(dataset_infos?|dataset_dict|state|dataset_metadata)\.json$/;

/**
 * The files of one split of a Hugging Face dataset folder, in order: `data/train-00000-of-00002.parquet`,
 * `train.jsonl`, `train/0.csv`. Files of a folder without any split in their names all are "train".
 *
 * @param paths Relative to the folder, with `/`.
 * @throws PupilError if there is no such split, or files of several formats
 */
export function splitFiles(paths: readonly string[], options: SplitOptions): string[] {
  const { split, format, source } = options;
  const files = paths.filter(
    (path) =>
      !/(^|\/)\./.test(path) &&
      !descriptions.test(path) &&
      isData(path, format) &&
      formatOfName(path) !== undefined,
  );
  if (files.length === 0) throw noFiles(paths, options);
  const named = files.some((path) => splitOf(path) !== undefined);
  const found = files.filter((path) => (named ? splitOf(path) : "train") === split).sort();
  if (found.length === 0) {
    const splits = named ? splitNames(files) : ["train"];
    throw new PupilError(`has no split "${split}".`, {
      field: source,
      value: split,
      remedy: oneOf(split, splits),
    });
  }
  const formats = [...new Set(found.map(formatOfName))];
  const folders = [...new Set(found.map((path) => path.slice(0, path.lastIndexOf("/") + 1)))];
  if (folders.length > 1) {
    throw new PupilError(`has the split "${split}" in several folders.`, {
      field: source,
      value: folders,
      remedy: `Name one of them (subset on the Hub, path on disk): ${folders.join(", ")}.`,
    });
  }
  if (formats.length === 1) return found;
  throw new PupilError(`has the split "${split}" as ${formats.join(" and as ")}.`, {
    field: source,
    value: formats,
    remedy: `Set format to one of them.`,
  });
}

/** The splits that the names of files show. */
export function splitNames(paths: readonly string[]): string[] {
  return [...new Set(paths.map(splitOf).filter((name) => name !== undefined))].sort();
}

function isData(path: string, format: DataFormat | undefined): boolean {
  const found = formatOfName(path);
  // README.txt and the like are no rows unless text was asked for.
  return format === undefined ? found !== undefined && found !== "text" : found === format;
}

const usualSplits =
  /(?:^|[/._-])(train|training|validation|valid|val|dev|test|testing|eval)(?=[/._-]|\d|$)/g;

/** The split in a file's name: `<split>-00000-of-00002`, else the last usual word in its path. */
function splitOf(path: string): string | undefined {
  const sharded = /(?:^|\/)([\w.-]+?)-\d{5}-of-\d{5}/.exec(path)?.[1];
  return sharded ?? [...path.matchAll(usualSplits)].at(-1)?.[1];
}

function noFiles(paths: readonly string[], { source, format }: SplitOptions): PupilError {
  const hasArrow = paths.some((path) => path.endsWith(".arrow"));
  return new PupilError(
    hasArrow ? "holds Arrow files, which are not read." : "holds no data files.",
    {
      field: source,
      value: paths.slice(0, 10),
      remedy: hasArrow
        ? "Export the data as Parquet: load_from_disk(…)[split].to_parquet(…)."
        : `It needs ${format ?? "Parquet, JSON, JSONL, CSV or TSV"} files; it has: ${paths.slice(0, 5).join(", ") || "nothing"}.`,
    },
  );
}
