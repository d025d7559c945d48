import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { checksum32 } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";

/** Ray keeps uploads in the memory of its head node. */
const mostBytes = 100 * 2 ** 20;

/** Node has its own from 20.15 on only. */
const crc32 = checksum32(0xedb88320);

/**
 * A folder as a ZIP archive, without `.git`; the same bytes for the same files, whenever they were written.
 *
 * @throws PupilError for a folder that is missing or too large
 */
export async function zipFolder(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new PupilError("there is no such folder.", { field: "ray.workingDir", value: folder });
  });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath ?? entry.path, entry.name).slice(join(folder, "/").length),
    )
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => !/(^|\/)\.git\//.test(name))
    .sort();
  const files: ZipFile[] = [];
  let bytes = 0;
  for (const name of names) {
    const content = await readFile(join(folder, name));
    bytes += content.length;
    if (bytes > mostBytes) {
      throw new PupilError(`has more than ${mostBytes / 2 ** 20} MiB.`, {
        field: "ray.workingDir",
        value: folder,
        remedy: "Name a smaller folder, or the URI of a zip that the cluster can read.",
      });
    }
    files.push({ name, content });
  }
  return zip(files);
}

export interface ZipFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** A ZIP archive (PKWARE's APPNOTE 6.3, without ZIP64) of deflated files, each of 1980-01-01. */
export function zip(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of files) {
    const path = Buffer.from(name, "utf8");
    const packed = deflateRawSync(content);
    // Version 2.0, names in UTF-8, deflated, time 0, the first day that there is.
    const common = Buffer.alloc(26);
    for (const [at, value] of [20, 0x0800, 8, 0, 0x0021].entries())
      common.writeUInt16LE(value, at * 2);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(path.length, 22);
    parts.push(Buffer.from("PK\u0003\u0004"), common, path, packed);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\u0001\u0002\u0014\u0000"), common, entry, path);
    offset += 4 + common.length + path.length + packed.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, ...directory, Buffer.from("PK\u0005\u0006"), end]);
}
