import { oneOf, PupilError, showValue } from "../../errors/index.js";
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
 * Cuts the list's elements, and what is around the list field by field, out of text that arrives in
 * pieces, following strings and brackets only; each part is then parsed for itself, which finds what
 * is wrong inside.
 */
async function* readJson(file: DataFile, { rowsField }: ReadOptions): AsyncGenerator<DataRow> {
  const text = { line: 1, depth: 0, isString: false, isEscaped: false };
  const list = { isOpen: false, isDone: false, elements: 0 };
  /** Brackets around the elements of the list: one, or two where an object is around it. */
  let listDepth = 0;
  /** The text since the last comma: an element of the list, or a field of the object around it. */
  let part = "";
  let partLine = 1;
  /** The field in which the list stands. */
  let field = "";
  const fields = new Set<string>();
  const listFields: string[] = [];
  const fail = (problem: string, advice: string, line?: number) =>
    new PupilError(problem, {
      field: line === undefined ? file.name : `${file.name}:${line}`,
      remedy: advice,
    });
  const endField = (): void => {
    const where = `${file.name}:${partLine}`;
    const [key, value] = Object.entries(parseObject(`{${part}}`, where, aroundRemedy))[0] ?? [];
    if (key === undefined) throw fail("has a comma without a field.", aroundRemedy, text.line);
    if (fields.has(key))
      throw fail(`has the field ${showValue(key)} twice.`, aroundRemedy, partLine);
    fields.add(key);
    if (Array.isArray(value)) listFields.push(key);
  };

  for await (const piece of readTextPieces(file)) {
    for (const character of piece) {
      if (character === "\n") text.line += 1;
      const isBlank = " \n\r\t".includes(character);
      if (text.isString) {
        if (text.isEscaped) text.isEscaped = false;
        else if (character === "\\") text.isEscaped = true;
        else if (character === '"') text.isString = false;
      } else if (text.depth === 0) {
        if (isBlank) continue;
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
        if (text.depth === 2 && listDepth === 2 && character === "[" && !list.isOpen) {
          if (rowsField !== undefined && keyOf(part) === rowsField && !list.isDone) {
            list.isOpen = true;
            // What stands in its place says that the field is a list.
            field = `${part}[]`;
            part = "";
            continue;
          }
        }
      } else if (character === "]" || character === "}") {
        text.depth -= 1;
        if (list.isOpen && text.depth === listDepth - 1) {
          if (character === "}") throw wrongBracket(fail, text.line);
          if (part.trim() !== "") yield rowOf(part, `${file.name}:${partLine}`);
          else if (list.elements > 0) throw fail("has a comma without a row.", remedy, text.line);
          list.isOpen = false;
          list.isDone = true;
          part = field;
          continue;
        }
        if (text.depth === 0) {
          if (character === "]") throw wrongBracket(fail, text.line);
          if (part.trim() !== "" || fields.size > 0) endField();
          continue;
        }
      } else if (character === "," && text.depth === (list.isOpen ? listDepth : 1)) {
        if (list.isOpen) {
          list.elements += 1;
          yield rowOf(part, `${file.name}:${partLine}`);
        } else endField();
        part = "";
        continue;
      }
      if (part === "" && isBlank) continue;
      if (part === "") partLine = text.line;
      part += character;
    }
  }
  if (listDepth === 0) return;
  if (text.depth > 0) throw cutShort(fail, text.line);
  if (!list.isDone) throw noList(fail, rowsField, listFields);
}

const aroundRemedy = "What is around the list of rows must be a JSON object.";

/** The name of a field whose value is about to begin. */
function keyOf(part: string): string | undefined {
  const name = /^\s*("(?:[^"\\]|\\.)*")\s*:\s*$/.exec(part)?.[1];
  try {
    return name === undefined ? undefined : (JSON.parse(name) as string);
  } catch {
    return undefined;
  }
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

function wrongBracket(fail: Fail, line: number): PupilError {
  return fail(
    "has a closing bracket of the wrong kind.",
    "Lists end with ], objects with }: fetch or export the file again.",
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
