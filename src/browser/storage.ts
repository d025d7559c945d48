import { z } from "zod";
import type { Tokenizer } from "../data/index.js";
import { nearest, PupilError, requireText } from "../errors/index.js";
import {
  type FileContent,
  type FolderFiles,
  modelFileNames,
  modelFiles,
  type SaveModelOptions,
} from "../folders/index.js";
import type { Decoder } from "../models/index.js";
import { blobBytes } from "./blobs.js";
import {
  orAbsent,
  type StorageFolder,
  type StorageNavigator,
  webNavigator,
  writeStorageFile,
} from "./storage-handles.js";

export interface StorageOptions {
  /** In place of this browser's, for tests. */
  readonly navigator?: StorageNavigator;
}

/** A model folder in this browser's storage. */
export interface StoredModel {
  readonly name: string;
  readonly bytes: number;
  /** Names of its files. */
  readonly files: readonly string[];
}

/** The folder of the origin private file system that all models lie in. */
const rootName = "pupil-models";

/**
 * The mark of a complete model, written last. A name has a folder with a folder in it for every time it
 * was saved: 1, 2, …; the newest with a mark counts, so that a page that is closed while it saves loses
 * nothing.
 */
const markName = "complete.json";

const markSchema = z.object({
  formatVersion: z.literal(1),
  files: z.record(z.string(), z.int().min(0)),
});

/**
 * Saves a model in this browser's storage (OPFS), in the place of one of the same name. It is there complete
 * or not at all, and stays until it is removed or the user clears the site's data; browsers may clear it
 * too where the machine is short of room, unless `navigator.storage.persist()` was granted.
 *
 * @throws PupilError saying how much room there is where there is not enough
 */
export async function storeModel(
  name: string,
  model: Decoder,
  tokenizer: Tokenizer,
  { navigator, ...options }: SaveModelOptions & StorageOptions = {},
): Promise<StoredModel> {
  return storeFiles(name, await modelFiles(model, tokenizer, options), navigator);
}

/**
 * Keeps a model folder from elsewhere in this browser's storage: what was fetched once ({@link urlFolder})
 * or uploaded ({@link zipFolder}) is there the next time. Only the files that the model is loaded from.
 */
export async function storeFolder(
  name: string,
  folder: FolderFiles,
  { navigator }: StorageOptions = {},
): Promise<StoredModel> {
  const files = await modelFileNames(folder);
  const read = (file: string) => async () => {
    const { size, read: readRange } = await folder.open(file, "file");
    return readRange(0, size);
  };
  return storeFiles(name, new Map(files.map((file) => [file, read(file)])), navigator);
}

/** The complete models in this browser's storage, by name. */
export async function storedModels({ navigator }: StorageOptions = {}): Promise<StoredModel[]> {
  const root = await openRoot(navigator);
  const models: StoredModel[] = [];
  for (const name of await namesIn(root)) {
    const saved = await newestOf(root, name);
    if (saved !== undefined) models.push(storedModel(name, saved.files));
  }
  return models.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * A model folder of this browser's storage, for `loadModel` and `zipFiles`.
 *
 * @throws PupilError naming those that there are, if this is none
 */
export async function storedFolder(
  name: string,
  { navigator }: StorageOptions = {},
): Promise<FolderFiles> {
  const root = await openRoot(navigator);
  const saved = await newestOf(root, requireName(name));
  if (saved === undefined) throw await unknown(name, navigator);
  const { folder, files } = saved;
  const pathOf = (file: string) => `${rootName}/${name}/${file}`;
  return {
    name: `${rootName}/${name}`,
    pathOf,
    has: (file) => Promise.resolve(files.has(file)),
    list: () => Promise.resolve([...files.keys()]),
    open: async (file, what) => {
      const handle = files.has(file) ? await orAbsent(folder.getFileHandle(file)) : undefined;
      const blob = await handle?.getFile();
      if (blob !== undefined && blob.size === files.get(file)) return blobBytes(blob);
      const how =
        blob === undefined ? "is missing" : `has ${blob.size} bytes in place of ${files.get(file)}`;
      throw new PupilError(`The ${what} ${how}.`, {
        field: pathOf(file),
        remedy: "Remove the model (removeStoredModel) and save it again.",
      });
    },
  };
}

/**
 * Removes a model of this browser's storage.
 *
 * @throws PupilError if there is none of that name
 */
export async function removeStoredModel(
  name: string,
  { navigator }: StorageOptions = {},
): Promise<void> {
  const root = await openRoot(navigator);
  requireName(name);
  await alone(name, navigator, async () => {
    if (!(await namesIn(root)).includes(name)) throw await unknown(name, navigator);
    await root.removeEntry(name, { recursive: true });
  });
}

async function storeFiles(
  name: string,
  files: ReadonlyMap<string, FileContent | (() => Promise<Uint8Array>)>,
  navigator: StorageNavigator | undefined,
): Promise<StoredModel> {
  requireName(name);
  const root = await openRoot(navigator);
  return alone(name, navigator, async () => {
    const models = await root.getDirectoryHandle(name, { create: true });
    const older = await namesIn(models);
    const own = String(1 + Math.max(0, ...older.map(Number).filter(Number.isInteger)));
    const sizes: Record<string, number> = {};
    let file = "";
    let length = 0;
    try {
      const folder = await models.getDirectoryHandle(own, { create: true });
      const write = async (what: string, content: string | Uint8Array) => {
        const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
        [file, length] = [what, bytes.length];
        await writeStorageFile(folder, what, bytes as Uint8Array<ArrayBuffer>);
        return bytes.length;
      };
      for (const [what, content] of files) {
        sizes[what] = await write(what, typeof content === "function" ? await content() : content);
      }
      await write(markName, JSON.stringify({ formatVersion: 1, files: sizes }));
    } catch (error) {
      // Why it failed matters more than that its remains cannot be removed either.
      await models.removeEntry(own, { recursive: true }).catch(() => undefined);
      if (older.length === 0)
        await root.removeEntry(name, { recursive: true }).catch(() => undefined);
      throw await explained(error, `${rootName}/${name}/${file}`, length, navigator);
    }
    for (const folder of older) await models.removeEntry(folder, { recursive: true });
    return storedModel(name, new Map(Object.entries(sizes)));
  });
}

function storedModel(name: string, files: ReadonlyMap<string, number>): StoredModel {
  const bytes = [...files.values()].reduce((a, b) => a + b, 0);
  return { name, bytes, files: [...files.keys()] };
}

interface Saved {
  readonly folder: StorageFolder;
  /** Sizes in bytes. */
  readonly files: ReadonlyMap<string, number>;
}

/** What was saved last under a name, and completely. */
async function newestOf(root: StorageFolder, name: string): Promise<Saved | undefined> {
  const models = await orAbsent(root.getDirectoryHandle(name));
  if (models === undefined) return undefined;
  const folders = (await namesIn(models)).sort((a, b) => Number(b) - Number(a));
  for (const own of folders) {
    const folder = await models.getDirectoryHandle(own);
    const handle = await orAbsent(folder.getFileHandle(markName));
    const text = await (await handle?.getFile())?.text();
    const mark = markSchema.safeParse(text === undefined ? undefined : parse(text));
    if (mark.success) return { folder, files: new Map(Object.entries(mark.data.files)) };
  }
  return undefined;
}

/** Undefined where it is no JSON, as a mark that was not written to its end. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function namesIn(folder: StorageFolder): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

async function openRoot(navigator: StorageNavigator = webNavigator()): Promise<StorageFolder> {
  const { storage } = navigator;
  if (storage?.getDirectory === undefined) {
    throw new PupilError("This browser has no storage for files here.", {
      field: "navigator.storage.getDirectory",
      remedy:
        "Serve the page by https or from localhost, and use a browser with OPFS (2023 or newer).",
    });
  }
  try {
    return await (await storage.getDirectory()).getDirectoryHandle(rootName, { create: true });
  } catch (cause) {
    throw new PupilError(`The browser does not give its storage (${(cause as Error).message}).`, {
      field: rootName,
      remedy: "Private windows and blocked site data have none: allow it, or download a zip.",
      cause,
    });
  }
}

/** One at a time for each name, also from other tabs. */
function alone<T>(
  name: string,
  navigator: StorageNavigator = webNavigator(),
  run: () => Promise<T>,
): Promise<T> {
  return navigator.locks?.request(`${rootName}/${name}`, run) ?? run();
}

async function explained(
  error: unknown,
  field: string,
  length: number,
  { storage }: StorageNavigator = webNavigator(),
): Promise<unknown> {
  if ((error as Error).name !== "QuotaExceededError") return error;
  const none: { readonly usage?: number; readonly quota?: number } = {};
  const { usage, quota } = (await storage?.estimate?.().catch(() => none)) ?? none;
  const room =
    usage === undefined || quota === undefined
      ? ""
      : ` The browser gives this site ${megabytes(quota)}, of which ${megabytes(usage)} are in use.`;
  return new PupilError(`There is no room for its ${megabytes(length)}.${room}`, {
    field,
    remedy: "Remove models (removeStoredModel), free some of the disk, or download a zip.",
    cause: error,
  });
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

function requireName(name: string): string {
  requireText(name, { field: "name", remedy: 'Give the model a name, such as "student".' });
  if (!/[\\/]/.test(name) && name !== "." && name !== "..") return name;
  throw new PupilError(`${JSON.stringify(name)} is no name of a model.`, {
    field: "name",
    value: name,
    remedy: 'Give it one without slashes, such as "student".',
  });
}

async function unknown(name: string, navigator: StorageNavigator | undefined): Promise<PupilError> {
  const names = (await storedModels(navigator === undefined ? {} : { navigator })).map(
    (model) => model.name,
  );
  const near = nearest(name, names);
  const meant = near === undefined ? "" : `Did you mean "${near}"? `;
  return new PupilError(`There is no stored model "${name}".`, {
    field: "name",
    value: name,
    remedy: `${meant}${names.length === 0 ? "Nothing is stored yet." : `Stored: ${names.join(", ")}.`}`,
  });
}
