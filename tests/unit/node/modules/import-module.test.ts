import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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
