import { PupilError } from "../errors/index.js";
import type { FolderFiles } from "../folders/index.js";
import { blobBytes, requireContent } from "./blobs.js";
import { isOfMac, modelPrefix } from "./model-prefix.js";

/** A file that somebody chose or dropped, with its path below what was chosen: `teacher/config.json`. */
export interface ChosenFile {
  readonly path: string;
  readonly content: Blob;
}

export interface ChosenFolderOptions {
  /** How errors call it. Default: "the folder". */
  readonly name?: string;
  /** Which folder of it, where it holds several with a `config.json`: `runs/a/checkpoints/step-100`. */
  readonly folder?: string;
}

/**
 * The model folder among files that somebody chose (`<input type="file" webkitdirectory>`: `file.webkitRelativePath`) or
 * dropped. It may lie in folders; files of macOS beside it do not count. A file is read when it is asked for, in the
 * pieces that are asked for, and must not change until then.
 *
 * @throws PupilError where they hold no model folder or several
 */
export function chosenFolder(
  chosen: readonly ChosenFile[],
  { name = "the folder", folder }: ChosenFolderOptions = {},
): FolderFiles {
  const known = chosen.filter(({ path }) => !isOfMac(path));
  const paths = known.map(({ path }) => path);
  const prefix = modelPrefix(paths, { what: "folder", name, wanted: folder });
  const files = new Map(
    known
      .filter(({ path }) => path.startsWith(prefix))
      .map(({ path, content }) => [path.slice(prefix.length), content]),
  );
  const pathOf = (file: string) => prefix + file;
  return {
    name: prefix === "" ? name : prefix.slice(0, -1),
    pathOf,
    has: (file) => Promise.resolve(files.has(file)),
    list: () => Promise.resolve([...files.keys()]),
    open: async (file, what) => {
      const content = files.get(file);
      if (content === undefined) {
        throw new PupilError(`The ${what} is missing.`, {
          field: pathOf(file),
          remedy: `The folder has ${[...files.keys()].slice(0, 20).join(", ")}. Choose the whole model folder.`,
        });
      }
      try {
        await requireContent(content, pathOf(file), what);
      } catch (cause) {
        if (cause instanceof PupilError) throw cause;
        throw new PupilError(`The ${what} cannot be read (${(cause as Error).message}).`, {
          field: pathOf(file),
          remedy: "It was changed or deleted since it was chosen: choose the folder again.",
          cause,
        });
      }
      return blobBytes(content);
    },
  };
}
