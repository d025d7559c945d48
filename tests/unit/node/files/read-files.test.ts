import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  downloadDataset,
  loadModelFolder,
  loadTokenizer,
  openDataFile,
  readJson,
} from "../../../../src/node/index.js";
import { messageOf } from "../../../setup/data-rows.js";
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
