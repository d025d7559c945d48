/** In what order the disk is asked for what: what a power cut leaves is decided by nothing else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  appendToFile,
  makeFolder,
  removeFolderAtomic,
  removePath,
  removeUnfinished,
  syncFile,
  writeAll,
  writeFileAtomic,
  writeFolderAtomic,
} from "../../../../src/node/files/atomic.js";
import { DiskError } from "../../../../src/node/files/disk.js";
import { diskCalls, diskError } from "../../../setup/runs/disk-calls.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** A file or folder that may not be there, in a folder that is. */
function placeIn(folder: string, name: string): { path: string; parent: string } {
  return { path: join(folder, name), parent: basename(folder) };
}

describe("a file", () => {
  test("is on the disk before it has its name, and its name before the call ends", async () => {
    const { path, parent } = placeIn(temporaryFolder(), "a.json");
    const calls = diskCalls();
    await writeFileAtomic(path, "text");
    const made = ".unfinished-a.json-#";
    expect(calls).toEqual([
      `make ${parent}`,
      ...[`open ${made} wx`, `write ${made} 4`, `sync ${made}`, `close ${made}`],
      `rename ${made} a.json`,
      ...[`open ${parent} r`, `sync ${parent}`, `close ${parent}`],
    ]);
    expect(readFileSync(path, "utf8")).toBe("text");
  });

  test("may come in pieces, of which each is written", async () => {
    const { path } = placeIn(temporaryFolder(), "a.txt");
    async function* pieces() {
      yield "ä";
      yield new Uint8Array([66, 67]);
    }
    await writeFileAtomic(path, pieces());
    expect(readFileSync(path, "utf8")).toBe("äBC");
  });

  test("is appended to without a sync, and synced as it is", async () => {
    const { path } = placeIn(temporaryFolder(), "log");
    const calls = diskCalls();
    await appendToFile(path, "one\n");
    await appendToFile(path, "ä\n");
    await syncFile(path);
    const opened = ["open log a", "write log 4", "close log", "open log a", "write log 3"];
    expect(calls).toEqual([...opened, "close log", "open log r+", "sync log", "close log"]);
    expect(readFileSync(path, "utf8")).toBe("one\nä\n");
  });

  test("that a disk takes byte by byte is whole", async () => {
    const taken: number[] = [];
    const file = {
      write: async (bytes: Uint8Array) => {
        taken.push(...bytes.subarray(0, 2));
        return Math.min(2, bytes.length);
      },
      sync: async () => {},
      close: async () => {},
    };
    await writeAll(file, Uint8Array.from([1, 2, 3, 4, 5]));
    expect(taken).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("a folder", () => {
  const files = new Map([
    ["a", "1"],
    ["in/b", "22"],
    ["in/c", "333"],
  ]);
  const made = ".unfinished-step-1-#";
  const written = (parent: string) => [
    ...[`make ${parent}`, `make ${made}`],
    ...["open a wx", "write a 1", "sync a", "close a", "make in"],
    ...["open b wx", "write b 2", "sync b", "close b"],
    ...["open c wx", "write c 3", "sync c", "close c"],
    ...[`open ${made} r`, `sync ${made}`, `close ${made}`, "open in r", "sync in", "close in"],
  ];
  const syncedIn = (parent: string) => [`open ${parent} r`, `sync ${parent}`, `close ${parent}`];

  test("has its name once all in it is on the disk", async () => {
    const { path, parent } = placeIn(temporaryFolder(), "step-1");
    const calls = diskCalls();
    await writeFolderAtomic(path, files);
    expect(calls).toEqual([...written(parent), `rename ${made} step-1`, ...syncedIn(parent)]);
    expect(readdirSync(path).sort()).toEqual(["a", "in"]);
  });

  test("is put aside for another, and removed when that has its name", async () => {
    const { path, parent } = placeIn(temporaryFolder(), "step-1");
    await writeFolderAtomic(path, new Map([["old", ""]]));
    const calls = diskCalls();
    await writeFolderAtomic(path, files);
    expect(calls).toEqual([
      ...written(parent),
      ...["rename step-1 .unfinished-old-step-1-#", `rename ${made} step-1`],
      ...["remove .unfinished-old-step-1-#", ...syncedIn(parent)],
    ]);
  });

  test("is put back where another cannot take its name", async () => {
    const { path } = placeIn(temporaryFolder(), "step-1");
    await writeFolderAtomic(path, new Map([["old", ""]]));
    const calls = diskCalls((call) => {
      if (call === `rename ${made} step-1`) throw diskError("ENOSPC");
    });
    await expect(writeFolderAtomic(path, files)).rejects.toThrow(
      `${path}: cannot be written: the disk is full (ENOSPC). Make room there.`,
    );
    expect(calls.slice(-2)).toEqual(["rename .unfinished-old-step-1-# step-1", `remove ${made}`]);
    expect(readdirSync(dirname(path))).toEqual(["step-1"]);
    expect(readdirSync(path)).toEqual(["old"]);
  });

  test("takes contents that are made when they are written", async () => {
    const { path } = placeIn(temporaryFolder(), "model");
    const order: string[] = [];
    const lazy = (name: string) => () => {
      order.push(name);
      return new TextEncoder().encode(name);
    };
    await writeFolderAtomic(
      path,
      new Map([
        ["a", lazy("a")],
        ["b", lazy("b")],
      ]),
    );
    expect([...order, readFileSync(join(path, "b"), "utf8")]).toEqual(["a", "b", "b"]);
  });

  test("needs a map of files, and says so", async () => {
    const { path } = placeIn(temporaryFolder(), "model");
    await expect(writeFolderAtomic(path, undefined as never)).rejects.toThrow(
      "writeFolderAtomic: files: is missing. Give it a map of contents by name",
    );
    expect(existsSync(path)).toBe(false);
  });

  test("is removed under another name, so that nobody sees half of it", async () => {
    const { path } = placeIn(temporaryFolder(), "step-1");
    mkdirSync(path);
    const calls = diskCalls();
    await removeFolderAtomic(path);
    const aside = ".unfinished-removed-step-1-#";
    expect(calls).toEqual([`rename step-1 ${aside}`, `remove ${aside}`]);
    expect(existsSync(path)).toBe(false);
  });

  test("whose removal was interrupted is not put back", async () => {
    const parent = temporaryFolder();
    const calls = diskCalls((call) => {
      if (call.startsWith("remove")) throw diskError("EIO");
    });
    mkdirSync(join(parent, "step-1"));
    await expect(removeFolderAtomic(join(parent, "step-1"))).rejects.toThrow(
      /step-1: cannot be written: the disk reports an error \(EIO\)/,
    );
    expect(calls).toHaveLength(2);
    const [left] = readdirSync(parent);
    expect(left).toMatch(/^\.unfinished-removed-step-1-/);
    await expect(removeUnfinished(parent)).rejects.toThrow(left);
  });
});

describe("what cannot be written", () => {
  test.each([
    ["makeFolder", (path: string) => makeFolder(path), "make", "The folder cannot be made"],
    ["appendToFile", (path: string) => appendToFile(path, "x"), "open", "cannot be written"],
    ["removePath", removePath, "remove", "cannot be written"],
    ["removeFolderAtomic", removeFolderAtomic, "rename", "cannot be written"],
    ["writeFileAtomic", (path: string) => writeFileAtomic(path, "x"), "open", "cannot be written"],
    ["syncFile", syncFile, "open", "cannot be written"],
  ])("%s names its path and the reason", async (_name, work, fails, problem) => {
    const path = join(temporaryFolder(), "place");
    diskCalls((call) => {
      if (call.startsWith(fails)) throw diskError("EROFS");
    });
    const error = await work(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DiskError);
    expect((error as DiskError).message).toBe(
      `${path}: ${problem}: the disk is read-only (EROFS). Make it writable, or choose another folder.`,
    );
  });

  test("a folder is made for another name, which the error has", async () => {
    diskCalls(() => {
      throw diskError("EDQUOT");
    });
    await expect(makeFolder("runs/mine/checkpoints", "runs/mine")).rejects.toThrow(
      /^runs\/mine: The folder cannot be made: the quota of the disk is used up/,
    );
  });

  test("leaves nothing of itself, and the file that was there", async () => {
    const { path } = placeIn(temporaryFolder(), "a.json");
    writeFileSync(path, "old");
    const calls = diskCalls((call) => {
      if (call.startsWith("sync")) throw diskError("EIO");
    });
    await expect(writeFileAtomic(path, "new")).rejects.toThrow(DiskError);
    // Also then the file is closed.
    expect(calls.slice(-3)).toEqual([
      "sync .unfinished-a.json-#",
      "close .unfinished-a.json-#",
      "remove .unfinished-a.json-#",
    ]);
    expect(readdirSync(dirname(path))).toEqual(["a.json"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("is what is said, also where its remains cannot be removed either", async () => {
    const { path } = placeIn(temporaryFolder(), "a.json");
    diskCalls((call) => {
      if (call.startsWith("write")) throw diskError("ENOSPC");
      if (call.startsWith("remove")) throw diskError("EIO");
    });
    await expect(writeFileAtomic(path, "new")).rejects.toThrow("the disk is full (ENOSPC)");
  });
});
