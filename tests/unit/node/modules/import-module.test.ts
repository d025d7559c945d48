import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import { exportsOf, importOnce } from "../../../../src/node/modules/import-module.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const strips = (process.features as { typescript?: unknown }).typescript;

/** A folder with a tsx of its own that writes down how it is used. */
function folderWithTsx(): string {
  const folder = temporaryFolder();
  const api = join(folder, "node_modules/tsx/dist/esm/api");
  mkdirSync(api, { recursive: true });
  writeFileSync(join(folder, "node_modules/tsx/package.json"), '{"name":"tsx","type":"module"}');
  writeFileSync(
    join(api, "index.mjs"),
    `export function register(options) {
      globalThis.usesOfTsx = [JSON.stringify(options)];
      return async () => { globalThis.usesOfTsx.push("unregistered"); };
    }`,
  );
  return folder;
}

const uses = () => (globalThis as { usesOfTsx?: string[] }).usesOfTsx;

describe.skipIf(strips)("TypeScript where Node strips no types (needs Node before 22.18)", () => {
  test("is loaded by the tsx beside it, without the paths of a tsconfig.json, and only meanwhile", async () => {
    const folder = folderWithTsx();
    writeFileSync(join(folder, "mine.ts"), "export const x: number = 7;");
    const module = await importOnce(join(folder, "mine.ts"));
    expect(module).toMatchObject({ x: 7 });
    // Another copy of the package, by a path alias, would not know this one's losses.
    expect(uses()).toEqual([JSON.stringify({ tsconfig: false }), "unregistered"]);
    Reflect.deleteProperty(globalThis, "usesOfTsx");
    expect(await importOnce(join(folder, "mine.ts"))).toBe(module);
    expect(uses()).toBeUndefined();
  });
});

test("JavaScript needs no tsx", async () => {
  const folder = folderWithTsx();
  writeFileSync(join(folder, "mine.mjs"), "export const x = 8;");
  expect(await importOnce(join(folder, "mine.mjs"))).toMatchObject({ x: 8 });
  expect(uses()).toBeUndefined();
});

test("what a module exports is named as its author wrote it", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "two.mjs"), "export const a = 1; export function b() {}");
  expect(exportsOf(await importOnce(join(folder, "two.mjs")))).toBe("a, b");
  expect(exportsOf({ default: { a: 1 } })).toBe("default");
  for (const value of [7, "text", null, undefined]) {
    expect(exportsOf({ default: value }), String(value)).toBe("default");
  }
  // Node gives a file that exports nothing an empty default, and CommonJS a name of its own for it all.
  expect(exportsOf({})).toBe("nothing");
  expect(exportsOf({ default: {} })).toBe("nothing");
  expect(exportsOf({ default: {}, "module.exports": {} })).toBe("nothing");
  expect(exportsOf({ a: {}, default: { a: {} }, "module.exports": { a: {} } })).toBe("a, default");
});

test("what keeps a file from being loaded is told apart, with what to do about it", async () => {
  const folder = temporaryFolder();
  const saying = async (name: string, body: string) => {
    const path = join(folder, name);
    writeFileSync(path, body);
    const error = await importOnce(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PupilError);
    expect((error as PupilError).cause).toBeInstanceOf(Error);
    return (error as PupilError).message.replace(`${path}: `, "");
  };
  const failing = (code: string) => `throw Object.assign(new Error("why"), { code: "${code}" });`;
  expect(await saying("a.md", failing("ERR_UNKNOWN_FILE_EXTENSION"))).toBe(
    "its name is not that of a module. Give a file of JavaScript (.mjs) or TypeScript (.mts).",
  );
  expect(await saying("a.mts", failing("ERR_UNKNOWN_FILE_EXTENSION"))).toBe(
    "this Node does not read TypeScript. Install tsx beside it (npm install -D tsx), use Node 22.18 or newer, or compile it.",
  );
  expect(await saying("b.mjs", failing("ERR_REQUIRE_ESM"))).toBe(
    'it is TypeScript of a package that is not made of modules. Name it .mts, or put "type": "module" into its package.json.',
  );
  const usual = "It is loaded as a module: check its imports and its syntax.";
  for (const code of ["ERR_OTHER", "X_ERR_REQUIRE"]) {
    expect(await saying(`${code}.mjs`, failing(code))).toBe(`it cannot be loaded: why. ${usual}`);
  }
  expect(await saying("c.mjs", 'throw new Error("why");')).toBe(
    `it cannot be loaded: why. ${usual}`,
  );
  expect(await saying("d.mjs", 'import "@not/there";')).toMatch(
    /Install @not\/there beside the file: npm install @not\/there\.$/,
  );
});

test("a file is one and the same by any path to it", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "a.mjs"), "export const x = {};");
  const module = await importOnce(join(folder, "a.mjs"));
  expect(await importOnce(`${folder}/in/../a.mjs`)).toBe(module);
});
