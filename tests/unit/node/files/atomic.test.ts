import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  removeUnfinished,
  writeFileAtomic,
  writeFolderAtomic,
} from "../../../../src/node/index.js";
import { replaceDisk } from "../../../../src/node/files/disk.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

test("a folder is written whole and replaces an older one", async () => {
  const parent = temporaryFolder();
  const path = join(parent, "step-1");
  await writeFolderAtomic(
    path,
    new Map([
      ["a.txt", "old"],
      ["b.txt", "old"],
    ]),
  );
  await writeFolderAtomic(path, new Map<string, string | Uint8Array>([["a.txt", "new"]]));
  expect(readdirSync(parent)).toEqual(["step-1"]);
  expect(readdirSync(path)).toEqual(["a.txt"]);
  expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("new");
});

test("a failed write leaves the old folder and nothing else", async () => {
  const parent = temporaryFolder();
  const path = join(parent, "step-1");
  await writeFolderAtomic(path, new Map([["a.txt", "old"]]));
  const broken = new Map([
    ["a.txt", "new"],
    ["a.txt/in-a-file.txt", "x"],
  ]);
  await expect(writeFolderAtomic(path, broken)).rejects.toThrow(/EEXIST|ENOTDIR/);
  expect(readdirSync(parent)).toEqual(["step-1"]);
  expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("old");
});

test("unfinished folders are removed, others are not", async () => {
  const parent = temporaryFolder();
  mkdirSync(join(parent, ".unfinished-step-3-x"));
  writeFileSync(join(parent, ".unfinished-step-3-x", "model.safetensors"), "half");
  mkdirSync(join(parent, "step-2"));
  await removeUnfinished(parent);
  expect(readdirSync(parent)).toEqual(["step-2"]);
  await removeUnfinished(join(parent, "missing"));
});

test("a file is written into folders that did not exist", async () => {
  const path = join(temporaryFolder(), "a", "b.txt");
  await writeFileAtomic(path, "text");
  expect(readFileSync(path, "utf8")).toBe("text");
});

test("a folder may have folders in it", async () => {
  const path = join(temporaryFolder(), "model");
  await writeFolderAtomic(
    path,
    new Map([
      ["config.json", "{}"],
      ["onnx/deep/model.onnx", "x"],
    ]),
  );
  expect(readFileSync(join(path, "onnx", "deep", "model.onnx"), "utf8")).toBe("x");
});

test("a folder that was moved aside and never replaced is put back, and only then", async () => {
  const parent = temporaryFolder();
  const aside = (name: string) =>
    `.unfinished-old-${name}-${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}`;
  for (const name of [aside("step-2"), aside("step-3"), "step-3", ".unfinished-step-4-x"]) {
    mkdirSync(join(parent, name));
    writeFileSync(join(parent, name, "was"), name);
  }
  await removeUnfinished(parent);
  expect(readdirSync(parent).sort()).toEqual(["step-2", "step-3"]);
  expect(readFileSync(join(parent, "step-2", "was"), "utf8")).toBe(aside("step-2"));
  expect(readFileSync(join(parent, "step-3", "was"), "utf8")).toBe("step-3");
});

test("folders are synced after what is in them, but on Windows, which cannot open one", async () => {
  const { platform } = process;
  const onPlatform = (value: string) => Object.defineProperty(process, "platform", { value });
  const opened: string[] = [];
  const putBack = replaceDisk((real) => ({
    ...real,
    open: (path, flags) => {
      // As Windows does.
      if (flags === "r" && process.platform === "win32") throw new Error("EPERM");
      opened.push(flags);
      return real.open(path, flags);
    },
  }));
  onTestFinished(() => {
    putBack();
    onPlatform(platform);
  });
  const written = async (name: string): Promise<string[]> => {
    const path = join(temporaryFolder(), name);
    opened.length = 0;
    await writeFolderAtomic(path, new Map([["a.txt", "a"]]));
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("a");
    return [...opened];
  };
  onPlatform("linux");
  // The file, the new folder, and the one that it was renamed in.
  expect(await written("here")).toEqual(["wx", "r", "r"]);
  onPlatform("win32");
  expect(await written("there")).toEqual(["wx"]);
});
