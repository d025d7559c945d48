import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PupilError } from "../../errors/index.js";
import type { FileContent } from "../../folders/index.js";
import { isFile } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";

/** The mark of a complete checkpoint: written last, with the size and hash of every other file. */
export const markName = "complete.json";

const markSchema = z.object({
  formatVersion: z.literal(1),
  // One that names no file would vouch for whatever is there.
  files: z
    .record(z.string(), z.object({ bytes: z.int().min(0), sha256: z.string() }))
    .refine((files) => Object.keys(files).length > 0),
});

type Mark = z.output<typeof markSchema>;

/** The same files with the mark at their end, which is made of what was written before it. */
export function withMark(files: ReadonlyMap<string, FileContent>): Map<string, FileContent> {
  const mark: Mark = { formatVersion: 1, files: {} };
  const watched = [...files].map(([name, content]): [string, FileContent] => [
    name,
    () => {
      const given = typeof content === "function" ? content() : content;
      const bytes = typeof given === "string" ? Buffer.from(given) : given;
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      mark.files[name] = { bytes: bytes.length, sha256 };
      return bytes;
    },
  ]);
  const text = () => Buffer.from(`${JSON.stringify(mark, null, 2)}\n`);
  return new Map([...watched, [markName, text]]);
}

/**
 * Compares every file of a checkpoint with its mark.
 *
 * @returns whether it has one; those that older versions wrote do not
 * @throws PupilError naming the first file that is missing, shorter or another
 */
export async function verifyMark(folder: string): Promise<boolean> {
  const path = join(folder, markName);
  if (!(await isFile(path))) return false;
  const { data: mark } = markSchema.safeParse(await readJson(path, "mark of the checkpoint"));
  if (mark === undefined) {
    throw new PupilError("The mark of the checkpoint is damaged.", { field: path });
  }
  for (const [name, { bytes, sha256 }] of Object.entries(mark.files)) {
    const file = join(folder, name);
    const fail = (how: string): never => {
      throw new PupilError(`The file ${how}.`, { field: file });
    };
    const info = await stat(file).catch(() => undefined);
    if (info === undefined || !info.isFile()) return fail("is missing");
    if (info.size !== bytes) fail(`has ${info.size} bytes in place of ${bytes}`);
    if ((await hashOf(file)) !== sha256) fail("is not the one that was written: its hash differs");
  }
  return true;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
