import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { olderForms, type Tokenizer, tokenizerFromJson } from "../../data/index.js";
import { PupilError, requireText } from "../../errors/index.js";
import { exists } from "../files/file-exists.js";
import { readJson, readText } from "../files/read-files.js";

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
  const { json, config, source } = await readTokenizerFiles(path);
  const tokenizer = await tokenizerFromJson(json, source, { config });
  if (modelEndIds.length <= tokenizer.endIds.length) return tokenizer;
  return tokenizerFromJson(json, source, { config, endIds: modelEndIds });
}

/** `tokenizer.json` and `tokenizer_config.json`, or what the older files amount to. */
async function readTokenizerFiles(path: string) {
  const isFile = path.endsWith(".json");
  const folder = isFile ? dirname(path) : path;
  const file = isFile ? path : join(path, "tokenizer.json");
  const configFile = join(folder, "tokenizer_config.json");
  const stored = (await exists(configFile)) ? await readJson(configFile, "tokenizer config") : {};
  // Newer models keep the template in a file of its own, which comes before the config's.
  const templateFile = join(folder, "chat_template.jinja");
  const template = (await exists(templateFile))
    ? { chat_template: await readText(templateFile, "chat template") }
    : {};
  const config = { ...(stored as object), ...template };
  const found = isFile || (await exists(file)) ? undefined : await olderFormIn(folder);
  if (found === undefined) return { json: await readJson(file, "tokenizer"), config, source: file };
  const texts: string[] = [];
  for (const name of found.files) texts.push(await readText(join(folder, name), "tokenizer"));
  const source = join(folder, found.files[0] as string);
  return { ...found.convert(texts, config, source), source };
}

/** The older form whose files a folder holds; undefined where the folder does not exist. */
async function olderFormIn(folder: string) {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return undefined;
  const form = olderForms.find(({ files }) => files.every((name) => names.includes(name)));
  if (form !== undefined) return form;
  const forms = olderForms.map(({ files }) => files.join(" and "));
  throw new PupilError("The folder holds no tokenizer.", {
    field: folder,
    remedy: `It needs a tokenizer.json, or ${forms.join(", or ")}.`,
  });
}
