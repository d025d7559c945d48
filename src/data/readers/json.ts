import { oneOf, PupilError } from "../../errors/index.js";
import type { DataFile } from "./data-file.js";
import { parseObject } from "./jsonl.js";
import type { DataRow, Reader, ReadOptions } from "./reader.js";
import { readTextPieces } from "./text-pieces.js";

/**
 * A list of objects, or an object one of whose fields (`rowsField`) is that list. Only one element
 * is in memory at a time.
 */
export const jsonReader: Reader = {
  extensions: ["json"],
  content: "a JSON list of objects",
  read: readJson,
};

const remedy = "Every element of the list must be a JSON object.";

/**
 * Cuts the list's elements out of text that arrives in pieces, following strings and brackets only;
 * each element is then parsed for itself, which finds what is wrong inside.
 */
async function* readJson(file: DataFile, { rowsField }: ReadOptions): AsyncGenerator<DataRow> {
  const text = { line: 1, depth: 0, isString: false, isEscaped: false };
  const list = { isOpen: false, isDone: false };
  /** Brackets around the elements of the list: one, or two where an object is around it. */
  let listDepth = 0;
  let element = "";
  let elementLine = 1;
  let key = "";
  let isValue = false;
  const listFields: string[] = [];
  const fail = (problem: string, advice: string, line?: number) =>
    new PupilError(problem, {
      field: line === undefined ? file.name : `${file.name}:${line}`,
      remedy: advice,
    });

  for await (const piece of readTextPieces(file)) {
    for (const character of piece) {
      if (character === "\n") text.line += 1;
      const isBlank = character === " " || character === "\n" || character === "\r";
      if (text.isString) {
        if (text.isEscaped) text.isEscaped = false;
        else if (character === "\\") text.isEscaped = true;
        else if (character === '"') text.isString = false;
      } else if (text.depth === 0) {
        if (isBlank || character === "\t") continue;
        if (listDepth > 0) throw afterEnd(fail, text.line);
        listDepth = { "[": 1, "{": 2 }[character] ?? 0;
        if (listDepth === 0) throw notJson(fail, text.line);
        text.depth = 1;
        list.isOpen = listDepth === 1;
        continue;
      } else if (character === '"') {
        text.isString = true;
      } else if (character === "[" || character === "{") {
        text.depth += 1;
        if (text.depth === 2 && listDepth === 2 && character === "[") {
          listFields.push(key);
          const isRows = key === rowsField && !list.isDone;
          if (isRows) {
            list.isOpen = true;
            element = "";
            continue;
          }
        }
      } else if (character === "]" || character === "}") {
        text.depth -= 1;
        if (list.isOpen && text.depth === listDepth - 1) {
          if (element.trim() !== "") yield rowOf(element, `${file.name}:${elementLine}`);
          list.isOpen = false;
          list.isDone = true;
          element = "";
          continue;
        }
      } else if (character === "," && text.depth === (list.isOpen ? listDepth : 1)) {
        if (list.isOpen) yield rowOf(element, `${file.name}:${elementLine}`);
        element = "";
        isValue = false;
        continue;
      } else if (character === ":" && text.depth === 1 && !list.isOpen && !isValue) {
        key = element.trim().slice(1, -1);
        isValue = true;
        continue;
      }
      // Of what is around the list, only the keys are of interest.
      const isKept = list.isOpen || (text.depth === 1 && !isValue);
      if (!isKept || (element === "" && isBlank)) continue;
      if (element === "") elementLine = text.line;
      element += character;
    }
  }
  if (listDepth === 0) return;
  if (text.depth > 0) throw cutShort(fail, text.line);
  if (!list.isDone) throw noList(fail, rowsField, listFields);
}

function rowOf(element: string, where: string): DataRow {
  return { row: parseObject(element, where, remedy), where };
}

type Fail = (problem: string, advice: string, line?: number) => PupilError;

function notJson(fail: Fail, line: number): PupilError {
  return fail(
    "is not a JSON list or object.",
    "Give a list of objects, or set format to the one that the file has.",
    line,
  );
}

function afterEnd(fail: Fail, line: number): PupilError {
  return fail(
    "has text after the end of its list or object.",
    'Give one list of objects; for one object a line, set format to "jsonl".',
    line,
  );
}

function cutShort(fail: Fail, line: number): PupilError {
  return fail(
    "ends before its brackets and quotes are closed.",
    "The file seems cut: fetch or export it again.",
    line,
  );
}

function noList(fail: Fail, rowsField: string | undefined, lists: readonly string[]): PupilError {
  const found = lists.length === 0 ? "It has no list." : oneOf(rowsField ?? "", lists);
  return fail(
    rowsField === undefined
      ? "is an object, not a list."
      : `has no list in the field "${rowsField}".`,
    `Set rowsField to the field with the rows. ${found} (For one object a line, set format to "jsonl".)`,
  );
}
