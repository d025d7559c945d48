import { PupilError } from "../errors/index.js";
import type { FileBytes } from "../folders/index.js";

/** The bytes of a blob, which a browser may keep on disk; each read copies only what it is asked for. */
export function blobBytes(blob: Blob): FileBytes {
  return {
    size: blob.size,
    read: async (begin, end) => new Uint8Array(await blob.slice(begin, end).arrayBuffer()),
  };
}

/** What stands in a file's place where it was not found or not fetched, by how it begins. */
const impostors: readonly {
  readonly start: RegExp;
  readonly is: string;
  readonly remedy: string;
}[] = [
  {
    start: /^\s*<(!doctype|html|head|body|\?xml)/i,
    is: "an HTML page",
    remedy: "Some servers answer so for files that they lack: look at this address in a browser.",
  },
  {
    start: /^version https:\/\/git-lfs/,
    is: "a pointer of Git LFS",
    remedy: "Fetch the file itself: git lfs pull, or the resolve/ address of the Hub.",
  },
];

/**
 * Refuses what is not the file but says where it is, or that it is nowhere.
 *
 * @throws PupilError that names the file and what is in its place
 */
export async function requireContent(blob: Blob, path: string, what: string): Promise<void> {
  const start = await blob.slice(0, 256).text();
  const found = impostors.find((candidate) => candidate.start.test(start));
  if (found === undefined) return;
  throw new PupilError(`It is ${found.is} in the place of the ${what}.`, {
    field: path,
    remedy: found.remedy,
  });
}
