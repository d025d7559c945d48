import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { PupilError } from "../errors/index.js";
import { readBytes } from "./read-files.js";

/** Size of a file that text is read from; a missing one or a folder is a PupilError. */
export async function textFileSize(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined);
  // Says what is wrong with the path, as everywhere.
  if (info?.isFile() !== true) await readBytes(path, "text file");
  return info?.size ?? 0;
}

/**
 * The text of a file, in parts, without a byte-order mark: for files larger than memory.
 *
 * @throws PupilError if the file is not UTF-8 or has a NUL, as binary files do
 */
export async function* streamText(path: string): AsyncGenerator<string, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    yield decode(decoder, chunk as Buffer, path, bytes);
    bytes += (chunk as Buffer).length;
  }
  const rest = decode(decoder, undefined, path, bytes);
  if (rest !== "") yield rest;
}

/** The lines of a file, without line ends, in the same way. */
export async function* streamLines(path: string): AsyncGenerator<string, void> {
  let pending = "";
  for await (const part of streamText(path)) {
    const lines = `${pending}${part}`.split("\n");
    pending = lines.pop() as string;
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (pending !== "") yield pending;
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Buffer | undefined,
  path: string,
  position: number,
): string {
  const nul = chunk?.indexOf(0) ?? -1;
  if (nul >= 0) throw notText(path, `byte ${position + nul} is 0`);
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    const end = position + (chunk?.length ?? 0);
    throw notText(path, `there is another encoding before byte ${end}`, cause);
  }
}

function notText(path: string, reason: string, cause?: unknown): PupilError {
  return new PupilError(`The file is not UTF-8 text: ${reason}.`, {
    field: path,
    remedy: "Give text or JSON lines, converted to UTF-8.",
    cause,
  });
}
