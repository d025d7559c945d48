import { TemplateError } from "../template-error.js";
import { strip } from "../text/text-methods.js";

/** A piece of a template: text as it is printed, or a word of a tag. */
export interface Token {
  readonly type:
    | "text"
    | "block_begin"
    | "block_end"
    | "variable_begin"
    | "variable_end"
    | "name"
    | "string"
    | "integer"
    | "float"
    | "operator"
    | "end";
  readonly value: string;
  readonly line: number;
}

const opening = /{%([-+]?)\s*raw\s*(?:-%}\s*|%})|{%([-+]?)|{#([-+]?)|{{([-+]?)/g;
const rawEnd = /{%([-+]?)\s*endraw\s*(?:\+%}|-%}\s*|%}\n?)/g;
const commentEnd = /(?:\+#}|-#}\s*|#}\n?)/g;
const closing = {
  block: /(?:\+%}|-%}\s*|%}\n?)/y,
  variable: /(?:-}}\s*|}})/y,
};
const words: readonly (readonly [Token["type"], RegExp])[] = [
  ["float", /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy],
  ["integer", /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy],
  ["name", /[\p{L}\p{Nl}_][\p{L}\p{N}\p{M}_]*/uy],
  ["string", /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"/sy],
  ["operator", /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y],
];

/**
 * The tokens of a Jinja template with the settings of chat templates: the first line end after a
 * block is dropped (`trim_blocks`), and so is the white space before a block on its line
 * (`lstrip_blocks`).
 *
 * @throws TemplateError with the line
 */
export function tokenize(template: string): Token[] {
  const source = template.replace(/\r\n|\r/g, "\n").replace(/\n$/, "");
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const advance = (to: number): void => {
    for (let i = source.indexOf("\n", at); i >= 0 && i < to; i = source.indexOf("\n", i + 1))
      line++;
    at = to;
  };
  const push = (type: Token["type"], value: string) => tokens.push({ type, value, line });
  /** Whether what was read last ended a line, or nothing was read. */
  let isLineStart = true;
  /** The text up to a tag, without what the tag's sign and `lstrip_blocks` take from its end. */
  const text = (end: number, sign: string, isBlock: boolean): void => {
    push("text", textBefore(source.slice(at, end), sign, isBlock, isLineStart));
    advance(end);
  };
  const endOf = (pattern: RegExp, what: string): RegExpExecArray => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found === null) throw new TemplateError(`Missing end of ${what}`, line);
    return found;
  };
  for (;;) {
    opening.lastIndex = at;
    const found = opening.exec(source);
    if (found === null) break;
    const [tag, raw, block, comment, variable] = found;
    text(found.index, raw ?? block ?? comment ?? variable ?? "", variable === undefined);
    advance(found.index + tag.length);
    isLineStart = tag.endsWith("\n");
    if (raw !== undefined) {
      const end = endOf(rawEnd, "raw directive");
      text(end.index, end[1] ?? "", true);
      advance(end.index + end[0].length);
      isLineStart = end[0].endsWith("\n");
    } else if (comment !== undefined) {
      const end = endOf(commentEnd, "comment tag");
      advance(end.index + end[0].length);
      isLineStart = end[0].endsWith("\n");
    } else {
      const kind = block === undefined ? "variable" : "block";
      push(`${kind}_begin`, tag);
      isLineStart = readTag(kind).endsWith("\n");
    }
  }
  push("text", source.slice(at));
  advance(source.length);
  push("end", "");
  return tokens.filter(({ type, value }) => type !== "text" || value !== "");

  /** The words of one tag; returns what closed it. */
  function readTag(kind: "variable" | "block"): string {
    const open: string[] = [];
    for (;;) {
      const space = matchAt(/\s+/y, source, at);
      if (space !== undefined) advance(at + space.length);
      if (open.length === 0) {
        const end = matchAt(closing[kind], source, at);
        if (end !== undefined) {
          push(`${kind}_end`, end);
          advance(at + end.length);
          return end;
        }
      }
      const word = words
        .map(([type, pattern]) => ({ type, value: matchAt(pattern, source, at) }))
        .find(({ value }) => value !== undefined);
      if (word?.value === undefined) {
        const problem =
          at < source.length ? `unexpected char '${source[at]}'` : "unexpected end of template";
        throw new TemplateError(problem, line);
      }
      balance(open, word.value, line);
      push(word.type, word.value);
      advance(at + word.value.length);
    }
  }
}

const pairs: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

function balance(open: string[], word: string, line: number): void {
  if (Object.hasOwn(pairs, word)) open.push(pairs[word] as string);
  else if (Object.values(pairs).includes(word)) {
    const expected = open.pop();
    if (expected === word) return;
    const wanted = expected === undefined ? "" : `, expected '${expected}'`;
    throw new TemplateError(`unexpected '${word}'${wanted}`, line);
  }
}

function textBefore(text: string, sign: string, isBlock: boolean, isLineStart: boolean): string {
  if (sign === "-") return strip(text, null, "right");
  const lineStart = text.lastIndexOf("\n") + 1;
  const isAlone = (lineStart > 0 || isLineStart) && /^\s+$/.test(text.slice(lineStart));
  return sign !== "+" && isBlock && isAlone ? text.slice(0, lineStart) : text;
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

/** The text that a string of a template stands for, with Python's escapes. */
export function unescape({ value, line }: Token): string {
  return value
    .slice(1, -1)
    .replace(
      /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([xuUN])|([^]))/g,
      (
        all,
        x?: string,
        u?: string,
        long?: string,
        octal?: string,
        broken?: string,
        other?: string,
      ) => {
        const hex = x ?? u ?? long;
        if (hex !== undefined) return character(Number.parseInt(hex, 16), line);
        if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
        if (broken !== undefined)
          throw new TemplateError(`the escape \\${broken} is cut or not supported`, line);
        return escapes[other as string] ?? all;
      },
    );
}

function character(code: number, line: number): string {
  if (code <= 0x10ffff) return String.fromCodePoint(code);
  throw new TemplateError("an escape stands for no character", line);
}

const escapes: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
