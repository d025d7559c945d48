import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import type { FolderFiles } from "../../folders/index.js";
import { exists } from "./file-exists.js";
import { explainFileErrors, requireRegular } from "./read-files.js";

/** A folder on disk. Files must not change between being opened and being read. */
export function diskFolder(path: string): FolderFiles {
  const pathOf = (file: string) => join(path, file);
  return {
    name: path,
    pathOf,
    has: (file) => exists(pathOf(file)),
    list: () => readdir(path).catch(() => undefined),
    open: (file, what) =>
      explainFileErrors(pathOf(file), what, async () => {
        const info = await stat(pathOf(file));
        requireRegular(info);
        const { size } = info;
        return { size, read: (begin, end) => readRange(pathOf(file), what, begin, end) };
      }),
  };
}

function readRange(path: string, what: string, begin: number, end: number): Promise<Uint8Array> {
  return explainFileErrors(path, what, async () => {
    const file = await open(path, "r");
    try {
      const bytes = new Uint8Array(end - begin);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, begin + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      if (done === bytes.length) return bytes;
      const problem = `The ${what} ends at byte ${begin + done}, before ${end}.`;
      throw new PupilError(problem, { field: path, remedy: "Copy or download it again." });
    } finally {
      await file.close();
    }
  });
}
