import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { PupilError, showValue } from "../../errors/index.js";
import { decodeText, parseJson } from "../../folders/index.js";

/** Reads a file; a missing or unreadable one is a PupilError that says where it was looked for. */
export function readBytes(path: string, what = "file"): Promise<Uint8Array> {
  return explainFileErrors(path, what, async () => {
    requireRegular(await stat(path));
    return readFile(path);
  });
}

/**
 * Refuses what is no regular file: reading a pipe or a device can wait, or go on, for ever.
 *
 * @throws an error of the file system for {@link explainFileErrors}
 */
export function requireRegular(info: Stats): void {
  if (info.isFile()) return;
  throw Object.assign(new Error("no regular file"), {
    code: info.isDirectory() ? "EISDIR" : "ENOTREG",
  });
}

/** What `read` gives; an error of the file system becomes a PupilError that names the file. */
export async function explainFileErrors<T>(
  path: string,
  what: string,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PupilError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: "does not exist",
      EISDIR: "is a folder, not a file",
      ENOTREG: "is no regular file, but a pipe, a socket or a device",
      ENOTDIR: "does not exist: a part of its path is a file",
      ENAMETOOLONG: "does not exist: its path is too long",
      ELOOP: "does not exist: its symbolic links lead in a circle",
      ERR_INVALID_ARG_VALUE: "does not exist: its path has a zero character",
      EACCES: "cannot be read: permission denied",
    };
    const reason = reasons[code ?? ""] ?? `cannot be read (${code ?? String(error)})`;
    throw new PupilError(`The ${what} ${reason}.`, {
      field: path.replaceAll("\0", "\\0"),
      remedy: `Paths are relative to ${process.cwd()}.`,
      cause: error,
    });
  }
}

/** Reads UTF-8 text without a byte-order mark; bytes that are not UTF-8 are an error. */
export async function readText(path: string, what = "file"): Promise<string> {
  return decodeText(await readBytes(path, what), path, what);
}

/** Reads JSON; a syntax error names the file and the parser's position. */
export async function readJson(path: string, what = "file"): Promise<unknown> {
  return parseJson(await readText(path, what), path, what);
}

/** The same for a file that holds an object; anything else in it is a PupilError. */
export async function readJsonObject(
  path: string,
  what = "file",
): Promise<Readonly<Record<string, unknown>>> {
  const value = await readJson(path, what);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new PupilError(`The ${what} is ${showValue(value)}, expected an object.`, {
    field: path,
    remedy: "The file is damaged: restore it, or make it again.",
  });
}
