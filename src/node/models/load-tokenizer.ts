import { basename, dirname } from "node:path";
import type { Tokenizer } from "../../data/index.js";
import { requireText } from "../../errors/index.js";
import { readFolderTokenizer } from "../../folders/index.js";
import { diskFolder } from "../files/disk-folder.js";

/**
 * Loads the tokenizer of a folder, or from a `tokenizer.json` file. A folder may also hold one of the
 * older forms: `vocab.json` and `merges.txt` (GPT-2), or `vocab.txt` (BERT).
 *
 * @param modelEndIds end ids of the model, which replace the tokenizer's where they are more
 */
export async function loadTokenizer(
  path: string,
  modelEndIds: readonly number[] = [],
): Promise<Tokenizer> {
  requireText(path, {
    field: "loadTokenizer: path",
    remedy: "Give it the path of a model folder or of a tokenizer.json.",
  });
  if (!path.endsWith(".json")) return readFolderTokenizer(diskFolder(path), { modelEndIds });
  return readFolderTokenizer(diskFolder(dirname(path)), { modelEndIds, file: basename(path) });
}
