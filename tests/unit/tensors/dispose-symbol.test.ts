import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import ts from "typescript";
import { expect, test } from "vitest";

const file = new URL("../../../src/tensors/dispose-symbol.ts", import.meta.url);
const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), {});

/** What `Symbol.dispose` is after the module ran where it was `before`. */
const disposeAfter = (before: symbol | undefined): unknown =>
  runInNewContext(`${outputText}; Symbol.dispose;`, {
    Symbol: Object.assign((name: string) => Symbol(name), before && { dispose: before }),
  });

test("is there where the browser has none", () => {
  expect(typeof disposeAfter(undefined)).toBe("symbol");
});

test("is the browser's where it has one", () => {
  const own = Symbol("own");
  expect(disposeAfter(own)).toBe(own);
});
