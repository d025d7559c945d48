import type { FileEntry, ZipReader } from "@zip.js/zip.js";
import type { Tokenizer } from "../data/index.js";
import { PupilError, requireText } from "../errors/index.js";
import {
  type FileContent,
  type FolderFiles,
  modelFileNames,
  modelFiles,
  type SaveModelOptions,
} from "../folders/index.js";
import type { Decoder } from "../models/index.js";
import { blobBytes, requireContent } from "./blobs.js";
import { isOfMac, modelPrefix } from "./model-prefix.js";

export interface ZipFolderOptions {
  /** How errors call it. Default: the file's name, or "the zip". */
  readonly name?: string;
  /** Which folder of it, where it holds several with a `config.json`: `runs/a/checkpoints/step-100`. */
  readonly folder?: string;
}

export interface ZipModelOptions extends SaveModelOptions {
  /** The folder that the zip unpacks to. Default: "model". */
  readonly folder?: string;
}

/**
 * A model folder in Hugging Face's form as a zip to be downloaded: `model/config.json`,
 * `model/model.safetensors`, `model/tokenizer.json` and so on. With an active adapter, the adapter's folder.
 *
 * @throws PupilError for a name of the folder that is none
 */
export async function zipModel(
  model: Decoder,
  tokenizer: Tokenizer,
  { folder = "model", ...options }: ZipModelOptions = {},
): Promise<Blob> {
  const name = folderName(folder, "zipModel: folder");
  return zipOf(name, await modelFiles(model, tokenizer, options));
}

/** The files of a model folder, such as one in this browser's storage, as a zip to be downloaded. */
export async function zipFiles(files: FolderFiles, folder = "model"): Promise<Blob> {
  const name = folderName(folder, "zipFiles: folder");
  const contents = new Map<string, () => Promise<Uint8Array>>();
  for (const file of await modelFileNames(files)) {
    contents.set(file, async () => {
      const { size, read } = await files.open(file, "file");
      return read(0, size);
    });
  }
  return zipOf(name, contents);
}

/**
 * The model folder in a zip that somebody chose. It may lie in folders of the zip; files of macOS beside it
 * do not count. Nothing is unpacked before it is asked for, and what is unpacked is held to its checksum.
 *
 * @throws PupilError where it is no zip, is encrypted, or holds no model folder or several
 */
export async function zipFolder(
  zip: Blob,
  { name = (zip as Partial<File>).name ?? "the zip", folder }: ZipFolderOptions = {},
): Promise<FolderFiles> {
  const { BlobReader, BlobWriter, ZipReader } = await import(
    "@zip.js/zip.js/lib/zip-core-native.js"
  );
  const entries = await entriesOf(new ZipReader(new BlobReader(zip), settings), name);
  const paths = entries.map(({ filename }) => filename);
  const prefix = modelPrefix(paths, { what: "zip", name, wanted: folder });
  const files = new Map(
    entries
      .filter(({ filename }) => filename.startsWith(prefix))
      .map((entry) => [entry.filename.slice(prefix.length), entry]),
  );
  const pathOf = (file: string) => `${name}/${prefix}${file}`;
  return {
    name: prefix === "" ? name : `${name}/${prefix.slice(0, -1)}`,
    pathOf,
    has: (file) => Promise.resolve(files.has(file)),
    list: () => Promise.resolve([...files.keys()]),
    open: async (file, what) => {
      const entry = files.get(file);
      if (entry === undefined) {
        const there = [...files.keys()].slice(0, 20).join(", ");
        throw new PupilError(`The ${what} is missing.`, {
          field: pathOf(file),
          remedy: `The folder has ${there}. Zip the whole model folder.`,
        });
      }
      const blob = await entry.getData(new BlobWriter(), settings).catch((cause: unknown) => {
        throw damaged(pathOf(file), `The ${what} cannot be unpacked`, cause);
      });
      await requireContent(blob, pathOf(file), what);
      return blobBytes(blob);
    },
  };
}

/** We are in a worker, or ought to be: the library needs none of its own. */
const settings = { useWebWorkers: false, checkSignature: true } as const;

async function zipOf(
  folder: string,
  files: ReadonlyMap<string, FileContent | (() => Promise<Uint8Array>)>,
): Promise<Blob> {
  const { BlobWriter, Uint8ArrayReader, ZipWriter } = await import(
    "@zip.js/zip.js/lib/zip-core-native.js"
  );
  const writer = new ZipWriter(new BlobWriter("application/zip"), settings);
  for (const [name, content] of files) {
    const given = typeof content === "function" ? await content() : content;
    const bytes = typeof given === "string" ? new TextEncoder().encode(given) : given;
    // Weights are as good as random: packing them would take long for a few percent.
    const level = name.endsWith(".safetensors") ? 0 : 6;
    await writer.add(`${folder}/${name}`, new Uint8ArrayReader(bytes), { level });
  }
  return writer.close();
}

async function entriesOf(reader: ZipReader<Blob>, name: string): Promise<FileEntry[]> {
  const entries = await reader.getEntries().catch((cause: unknown) => {
    throw damaged(name, "It is no zip, or not the whole of one", cause);
  });
  const encrypted = entries.find((entry) => entry.encrypted);
  if (encrypted !== undefined) {
    throw new PupilError("It is encrypted.", {
      field: `${name}/${encrypted.filename}`,
      remedy: "Zip the folder without a password.",
    });
  }
  return entries.filter(
    (entry): entry is FileEntry => !entry.directory && !isOfMac(entry.filename),
  );
}

function damaged(field: string, problem: string, cause: unknown): PupilError {
  return new PupilError(`${problem} (${(cause as Error).message}).`, {
    field,
    remedy: "Make or download the zip again.",
    cause,
  });
}

/** A folder within a zip: no way out of it, whoever unpacks it. */
function folderName(folder: string, field: string): string {
  requireText(folder, { field, remedy: 'Give it a name, such as "student".' });
  const isOne = !/[\\/:*?"<>|]/.test(folder) && !/^\.+$/.test(folder);
  if (isOne) return folder;
  throw new PupilError(`${JSON.stringify(folder)} is no name of a folder.`, {
    field,
    value: folder,
    remedy: 'Give it a name without / \\ : * ? " < > and |, such as "student".',
  });
}
