import { expect, test } from "vitest";
import { formatTokens } from "../../../src/cli/terminal/format-data.js";
import { printable, writeLine, writeText } from "../../../src/cli/terminal/terminal.js";

test.each([
  ["an escape sequence", "a\u001b[2Jb", "a␛[2Jb"],
  ["a window title", "\u001b]0;pwned\u0007", "␛]0;pwned␇"],
  ["a carriage return over the line", "right\rwrong", "right␍wrong"],
  ["backspaces and delete", "ab\b\u007f", "ab␈␡"],
  ["a C1 control sequence", "\u009b31m", "<U+009B>31m"],
  ["reversed writing", "\u202egnp.exe", "<U+202E>gnp.exe"],
  ["isolated reversed writing", "\u2067x\u2069", "<U+2067>x<U+2069>"],
  ["a null", "a\0b", "a␀b"],
])("%s is shown as signs", (_what, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("ordinary text, lines, tabs and every script stay as they are", () => {
  const text = "naïve 漢字 עברית 👩‍👩‍👧 \t|\n";
  expect(printable(text)).toBe(text);
});

test("a file gets text as it is, a terminal does not, and a line never does", () => {
  const stream = (isTTY: boolean) => {
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    return { written, stream: { isTTY, write } as unknown as NodeJS.WriteStream };
  };
  const file = stream(false);
  const terminal = stream(true);
  for (const { stream: target } of [file, terminal]) {
    writeText(target, "\u001b[1m");
    writeLine(target, "\u001b[2m");
  }
  expect(file.written).toEqual(["\u001b[1m", "␛[2m\n"]);
  expect(terminal.written).toEqual(["␛[1m", "␛[2m\n"]);
});

test("tokens of data cannot steer the terminal that shows them", () => {
  const tokens = [{ text: "\u001b[8m", learned: true }];
  expect(formatTokens(tokens as never, false)).toBe("[␛[8m]");
});
