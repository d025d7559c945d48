import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import {
  downloadDataset,
  loadModelFolder,
  loadTokenizer,
  openDataFile,
  readJson,
} from "../../../../src/node/index.js";
import { readConfigFile } from "../../../../src/node/files/read-config.js";
import {
  explainFileErrors,
  readBytes,
  readJsonObject,
  readText,
} from "../../../../src/node/files/read-files.js";
import { messageOf } from "../../../setup/data/data-rows.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const readers: [string, (path: string) => Promise<unknown>][] = [
  ["a config", (path) => readJson(path, "run config")],
  ["data", openDataFile],
  ["a tokenizer", (path) => loadTokenizer(path)],
];

test.each(readers)(
  "%s is never waited for at a pipe, a device or a folder",
  async (_name, read) => {
    const folder = temporaryFolder();
    const pipe = join(folder, "pipe.json");
    if (process.platform !== "win32") {
      execFileSync("mkfifo", [pipe]);
      expect(await messageOf(read(pipe))).toMatch(
        /is no regular file, but a pipe, a socket or a device/,
      );
      expect(await messageOf(read("/dev/zero"))).toMatch(/is no regular file|tokenizer/);
    }
    const inside = join(folder, "folder.json");
    mkdirSync(inside);
    expect(await messageOf(read(inside))).toMatch(/is a folder, not a file/);
    writeFileSync(join(folder, "file"), "");
    expect(await messageOf(read(join(folder, "file", "x.json")))).toMatch(
      /a part of its path is a file|does not exist/,
    );
    expect(await messageOf(read(join(folder, "a\0b.json")))).toMatch(
      /its path has a zero character/,
    );
    expect(await messageOf(read(join(folder, `${"x".repeat(5_000)}.json`)))).toMatch(
      /path is too long/,
    );
  },
);

test("a model folder whose files are pipes", async () => {
  const folder = temporaryFolder();
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [join(folder, "config.json")]);
  expect(await messageOf(loadModelFolder(folder))).toMatch(/config\.json: .*is no regular file/);
});

test.each([
  ["..", "main"],
  [".", "main"],
  ["owner/..", "main"],
  ["owner/na\0me", "main"],
  ["owner/name", ".."],
  ["owner/name", "a/../b"],
  ["owner/name", "ma\0in"],
  ["owner/name", ""],
])(
  "a Hub dataset %j at %j is refused before anything is asked or written",
  async (dataset, revision) => {
    const request = { dataset, revision, choose: () => [] };
    const options = { hubUrl: "http://127.0.0.1:9", cacheFolder: temporaryFolder() };
    expect(await messageOf(downloadDataset(request, options))).toMatch(/is no name on the Hub/);
  },
);

describe("a file that cannot be read", () => {
  const said = (code: string | undefined) => {
    const error = code === undefined ? new Error("odd") : Object.assign(new Error(), { code });
    return messageOf(explainFileErrors("a/b.json", "run config", () => Promise.reject(error)));
  };

  test.each([
    ["ENOENT", "does not exist"],
    ["EISDIR", "is a folder, not a file"],
    ["ENOTREG", "is no regular file, but a pipe, a socket or a device"],
    ["ENOTDIR", "does not exist: a part of its path is a file"],
    ["ENAMETOOLONG", "does not exist: its path is too long"],
    ["ELOOP", "does not exist: its symbolic links lead in a circle"],
    ["ERR_INVALID_ARG_VALUE", "does not exist: its path has a zero character"],
    ["EACCES", "cannot be read: permission denied"],
    ["EIO", "cannot be read (EIO)"],
    [undefined, "cannot be read (Error: odd)"],
  ])("%s is a sentence with where it was looked for", async (code, reason) => {
    expect(await said(code)).toBe(
      `a/b.json: The run config ${reason}. Paths are relative to ${process.cwd()}.`,
    );
  });

  test("an error that is a sentence already is let through, and a zero is shown", async () => {
    const own = new PupilError("Said before.", {});
    await expect(explainFileErrors("a", "b", () => Promise.reject(own))).rejects.toBe(own);
    expect(await messageOf(explainFileErrors("a\0b\0", "file", () => Promise.reject({})))).toMatch(
      /^a\\0b\\0: The file cannot be read/,
    );
  });
});

describe("what a file holds", () => {
  const saved = (content: string | Uint8Array): string => {
    const path = join(temporaryFolder(), "file.json");
    writeFileSync(path, content);
    return path;
  };

  test("is text without its mark, JSON, or an object", async () => {
    const path = saved('\uFEFF{"a": [1]}');
    expect(await readText(path)).toBe('{"a": [1]}');
    expect(await readJson(path)).toEqual({ a: [1] });
    expect(await readJsonObject(path)).toEqual({ a: [1] });
    expect([...(await readBytes(saved(Uint8Array.from([255, 0]))))]).toEqual([255, 0]);
  });

  test.each([
    ["null", "null"],
    ["[1]", "[1]"],
    ["3", "3"],
    ['"x"', '"x"'],
  ])("%s is no object, which is said of the file by what it is", async (text, shown) => {
    const path = saved(text);
    for (const [asked, what] of [
      [undefined, "file"],
      ["config of the run", "config of the run"],
    ] as const) {
      expect(await messageOf(readJsonObject(path, asked))).toBe(
        `${path}: The ${what} is ${shown}, expected an object. The file is damaged: restore it, or make it again.`,
      );
    }
  });

  test.each([
    [readBytes, "file"],
    [readText, "file"],
    [readJson, "file"],
    [readJsonObject, "file"],
  ])("is called what the reader calls it (%#)", async (read, usual) => {
    const path = join(temporaryFolder(), "none");
    expect(await messageOf(read(path))).toContain(`The ${usual} does not exist`);
    expect(await messageOf(read(path, "vocabulary"))).toContain("The vocabulary does not exist");
  });

  test("that is not UTF-8 or not JSON is named too", async () => {
    const bytes = saved(Uint8Array.from([0x22, 0xff, 0x22]));
    for (const read of [readText, readJson]) {
      expect(await messageOf(read(bytes, "vocabulary"))).toMatch(
        /file\.json: The vocabulary.*UTF-8/,
      );
    }
    expect(await messageOf(readJson(saved("{"), "vocabulary"))).toMatch(/The vocabulary.*JSON/);
  });

  test("of a config may have comments and a last comma; the place of an error is the file's", async () => {
    const config = saved('{\n  // why\n  "a": 1, /* and */ "b": [2,],\n}');
    expect(await readConfigFile(config, "run config")).toEqual({ a: 1, b: [2] });
    const wrong = saved('{\n  // why\n  "a": 1 "b"\n}');
    expect(await messageOf(readConfigFile(wrong, "run config"))).toMatch(
      /run config is not valid JSON.*position 20/,
    );
    expect(await messageOf(readConfigFile(`${wrong}.none`, "run config"))).toContain(
      "The run config does not exist",
    );
    // Plain JSON has none.
    await expect(readJson(config)).rejects.toThrow(/JSON/);
  });
});
