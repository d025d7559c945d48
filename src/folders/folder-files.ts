import { PupilError } from "../errors/index.js";

/** The bytes of one file, which are read piece by piece. */
export interface FileBytes {
  readonly size: number;
  /** The bytes from `begin` to before `end`; both lie within the file. */
  read(begin: number, end: number): Promise<Uint8Array>;
}

/** The files of one model folder, wherever it lies: on disk, behind a URL, in a browser's storage, in a zip. */
export interface FolderFiles {
  /** How errors call the folder. */
  readonly name: string;
  /** How errors call a file of it: its path, its URL. */
  pathOf(file: string): string;
  has(file: string): Promise<boolean>;
  /** The names of its files; undefined where it does not exist or cannot tell. */
  list(): Promise<readonly string[] | undefined>;
  /**
   * @param what how errors call the content: `model config`
   * @throws PupilError if the file is missing or cannot be read
   */
  open(file: string, what: string): Promise<FileBytes>;
}

/** Content of a file to be written, or a function that makes it when its turn comes. */
export type FileContent = string | Uint8Array | (() => Uint8Array);

/** All bytes of a file. */
export async function readFolderBytes(
  folder: FolderFiles,
  file: string,
  what: string,
): Promise<Uint8Array> {
  const { size, read } = await folder.open(file, what);
  return read(0, size);
}

/** A file as UTF-8 text without a byte-order mark. */
export async function readFolderText(
  folder: FolderFiles,
  file: string,
  what: string,
): Promise<string> {
  return decodeText(await readFolderBytes(folder, file, what), folder.pathOf(file), what);
}

/** A file as JSON. */
export async function readFolderJson(
  folder: FolderFiles,
  file: string,
  what: string,
): Promise<unknown> {
  return parseJson(await readFolderText(folder, file, what), folder.pathOf(file), what);
}

/** UTF-8 without a byte-order mark; bytes that are none are an error. */
export function decodeText(bytes: Uint8Array, path: string, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PupilError(`The ${what} is not UTF-8 text.`, {
      field: path,
      remedy: "Convert it to UTF-8 first.",
      cause,
    });
  }
}

/** JSON; a syntax error names the file and the parser's position. */
export function parseJson(text: string, path: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PupilError(`The ${what} is not valid JSON: ${(cause as Error).message}.`, {
      field: path,
      cause,
    });
  }
}

/** JSON as the files of a model folder have it. */
export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
