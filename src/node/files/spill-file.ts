import { close, openSync, read, unlinkSync, write } from "node:fs";
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SpillFile } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";

const readAt = promisify(read);
const writeAt = promisify(write);

/**
 * A temporary file in the system's folder for them (`TMPDIR`). Where the system allows it, its name
 * is removed at once, so that nothing is left behind however the process ends.
 */
export async function createSpillFile(): Promise<SpillFile> {
  const folder = await mkdtemp(join(tmpdir(), "pupil-tokens-"));
  const path = join(folder, "tokens");
  const file = openSync(path, "wx+");
  const isUnlinked = unlinkOpen(path);
  if (isUnlinked) await rmdir(folder);
  let length = 0;
  let isOpen = true;
  return {
    async append(bytes) {
      for (let written = 0; written < bytes.length; ) {
        const result = await writeAt(file, bytes, written, bytes.length - written, length).catch(
          (cause: unknown) => {
            throw notWritten(cause);
          },
        );
        written += result.bytesWritten;
        length += result.bytesWritten;
      }
    },
    async read(position, byteLength) {
      const bytes = new Uint8Array(byteLength);
      const { bytesRead } = await readAt(file, bytes, 0, byteLength, position);
      if (bytesRead === byteLength) return bytes;
      throw new Error(`The spill file ends before ${position + byteLength} bytes.`);
    },
    dispose() {
      if (!isOpen) return;
      isOpen = false;
      close(file, () => {
        if (!isUnlinked) void rm(folder, { recursive: true, force: true }).catch(() => {});
      });
    },
  };
}

function unlinkOpen(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

function notWritten(cause: unknown): PupilError {
  return new PupilError(`Tokens could not be written to a temporary file: ${String(cause)}.`, {
    field: tmpdir(),
    remedy: "Make room there, set TMPDIR to another folder, or raise data.memoryLimitBytes.",
    cause,
  });
}
