import { olderForms, type Tokenizer, tokenizerFromJson } from "../data/index.js";
import { PupilError } from "../errors/index.js";
import { type FolderFiles, jsonText, readFolderJson, readFolderText } from "./folder-files.js";

/** Files that a folder may hold beside its tokenizer. */
export const tokenizerSettings = ["tokenizer_config.json", "chat_template.jinja"] as const;

export interface FolderTokenizerOptions {
  /** End ids of the model, which replace the tokenizer's where they are more. Default: none. */
  readonly modelEndIds?: readonly number[];
  /** The one file to read, in place of what the folder holds. */
  readonly file?: string | undefined;
}

/**
 * The tokenizer of a folder: `tokenizer.json`, or one of the older forms, `vocab.json` and `merges.txt`
 * (GPT-2) or `vocab.txt` (BERT), with the chat template of `chat_template.jinja` or of the config.
 *
 * @throws PupilError naming the file that is missing or no tokenizer
 */
export async function readFolderTokenizer(
  folder: FolderFiles,
  { modelEndIds = [], file }: FolderTokenizerOptions = {},
): Promise<Tokenizer> {
  const { json, config, source } = await readTokenizerFiles(folder, file);
  const tokenizer = await tokenizerFromJson(json, source, { config });
  if (modelEndIds.length <= tokenizer.endIds.length) return tokenizer;
  return tokenizerFromJson(json, source, { config, endIds: modelEndIds });
}

/** The names of the files that a tokenizer is made of, those of its settings included. */
export async function tokenizerFilesOf(folder: FolderFiles): Promise<string[]> {
  const form = (await folder.has("tokenizer.json")) ? undefined : await olderFormIn(folder);
  const names = form?.files ?? ["tokenizer.json"];
  const settings: string[] = [];
  for (const name of tokenizerSettings) if (await folder.has(name)) settings.push(name);
  return [...names, ...settings];
}

/** The files of a tokenizer beside a model. */
export function tokenizerFiles(tokenizer: Tokenizer): [string, string][] {
  return [
    ["tokenizer.json", jsonText(tokenizer.toJson())],
    ["tokenizer_config.json", jsonText(tokenizer.toConfigJson())],
  ];
}

/** `tokenizer.json` and `tokenizer_config.json`, or what the older files amount to. */
async function readTokenizerFiles(folder: FolderFiles, given: string | undefined) {
  const [configFile, templateFile] = tokenizerSettings;
  const stored = (await folder.has(configFile))
    ? await readFolderJson(folder, configFile, "tokenizer config")
    : {};
  // Newer models keep the template in a file of its own, which comes before the config's.
  const template = (await folder.has(templateFile))
    ? { chat_template: await readFolderText(folder, templateFile, "chat template") }
    : {};
  const config = { ...(stored as object), ...template };
  const file = given ?? "tokenizer.json";
  const isThere = given !== undefined || (await folder.has(file));
  const found = isThere ? undefined : await olderFormIn(folder);
  if (found === undefined) {
    const json = await readFolderJson(folder, file, "tokenizer");
    return { json, config, source: folder.pathOf(file) };
  }
  const texts: string[] = [];
  for (const name of found.files) texts.push(await readFolderText(folder, name, "tokenizer"));
  const source = folder.pathOf(found.files[0] as string);
  return { ...found.convert(texts, config, source), source };
}

/** The older form whose files a folder holds; undefined where it cannot tell what it holds, and has none. */
async function olderFormIn(folder: FolderFiles) {
  const names = await folder.list();
  const isThere = async (name: string) => names?.includes(name) ?? (await folder.has(name));
  for (const form of olderForms) {
    const there = await Promise.all(form.files.map(isThere));
    if (there.every(Boolean)) return form;
  }
  if (names === undefined) return undefined;
  const forms = olderForms.map(({ files }) => files.join(" and "));
  throw new PupilError("The folder holds no tokenizer.", {
    field: folder.name,
    remedy: `It needs a tokenizer.json, or ${forms.join(", or ")}.`,
  });
}
