import { PupilError, showValue } from "../../errors/index.js";
import type { DataFile } from "../readers/data-file.js";
import { formatOfName, readRows } from "../readers/index.js";
import type { DataRow } from "../readers/reader.js";
import { readLines } from "../readers/text-pieces.js";
import { hasField, textField } from "../rows/field-path.js";

/** One line of a qrels file. */
export interface Judgement {
  readonly queryId: string;
  readonly docid: string;
  readonly grade: number;
  readonly where: string;
}

/** One line of a run file. */
export interface RankedPassage {
  readonly queryId: string;
  readonly docid: string;
  readonly rank: number;
  readonly score: number;
  readonly where: string;
}

/** Lines `query-id iteration passage-id grade`, separated by white space. */
export async function* readQrels(file: DataFile): AsyncGenerator<Judgement, void> {
  const columns = ["query id", "0", "passage id", "grade"];
  for await (const { values, where } of readColumns(file, columns)) {
    const [queryId, , docid, grade] = values as [string, string, string, string];
    yield { queryId, docid, grade: numberOf(grade, "grade", where), where };
  }
}

/** Lines `query-id Q0 passage-id rank score tag`, separated by white space. */
export async function* readRun(file: DataFile): AsyncGenerator<RankedPassage, void> {
  const columns = ["query id", "Q0", "passage id", "rank", "score", "tag"];
  for await (const { values, where } of readColumns(file, columns)) {
    const [queryId, , docid, rank, score] = values as [string, string, string, string, string];
    yield {
      queryId,
      docid,
      rank: numberOf(rank, "rank", where),
      score: numberOf(score, "score", where),
      where,
    };
  }
}

/**
 * Texts by id: TSV with two columns and no header line, or JSONL with `_id` (also `docid`, `qid`,
 * `id`) and `text` (also `contents`, `query`), whose `title` is put before the text.
 *
 * @param wanted Ids to keep; the others are counted only.
 * @throws PupilError naming file and line, also for an id that comes twice
 */
export async function readTexts(
  file: DataFile,
  wanted?: ReadonlySet<string>,
): Promise<{ readonly texts: ReadonlyMap<string, string>; readonly count: number }> {
  const texts = new Map<string, string>();
  const isTable = ["tsv", "text", undefined].includes(formatOfName(file.name));
  let count = 0;
  for await (const row of isTable ? readIdAndText(file) : readRows(file)) {
    count += 1;
    const either = (names: readonly string[], role: string) =>
      textField(row, names.find((name) => hasField(row, name)) ?? (names[0] as string), role, {
        numbers: true,
      });
    const id = either(["_id", "docid", "qid", "id"], "id");
    if (wanted !== undefined && !wanted.has(id)) continue;
    if (texts.has(id)) {
      throw new PupilError(`has the id "${id}" a second time.`, {
        field: row.where,
        value: id,
        remedy: "Every id may have one text.",
      });
    }
    const title = hasField(row, "title") ? textField(row, "title", "title") : "";
    const text = either(["text", "contents", "content", "query"], "text");
    texts.set(id, title === "" ? text : `${title}\n${text}`);
  }
  return { texts, count };
}

/** The text is all that follows the first tab; quotes around all of it are taken off. */
async function* readIdAndText(file: DataFile): AsyncGenerator<DataRow, void> {
  for await (const { text: line, number } of readLines(file)) {
    if (line.trim() === "") continue;
    const where = `${file.name}:${number}`;
    const tab = line.indexOf("\t");
    if (tab < 0) {
      throw new PupilError("has no tab.", {
        field: where,
        value: line,
        remedy: "Write an id, a tab and the text on every line.",
      });
    }
    const text = line.slice(tab + 1);
    const quoted = /^"((?:[^"]|"")*)"$/.exec(text)?.[1];
    yield { row: { _id: line.slice(0, tab), text: quoted?.replaceAll('""', '"') ?? text }, where };
  }
}

async function* readColumns(
  file: DataFile,
  columns: readonly string[],
): AsyncGenerator<{ readonly values: readonly string[]; readonly where: string }, void> {
  let isEmpty = true;
  for await (const { text, number } of readLines(file)) {
    if (text.trim() === "") continue;
    isEmpty = false;
    const values = text.trim().split(/\s+/);
    const where = `${file.name}:${number}`;
    if (values.length !== columns.length) {
      throw new PupilError(`has ${values.length} columns, expected ${columns.length}.`, {
        field: where,
        value: text,
        remedy: `Write ${columns.join(", ")}, separated by spaces or tabs and without a header line.`,
      });
    }
    yield { values, where };
  }
  if (isEmpty) {
    throw new PupilError("is empty.", {
      field: file.name,
      remedy: `Give lines of ${columns.join(", ")}.`,
    });
  }
}

function numberOf(text: string, what: string, where: string): number {
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new PupilError(`the ${what} is ${showValue(text)}, not a number.`, {
    field: where,
    value: text,
    remedy: "Check the order of the columns.",
  });
}
