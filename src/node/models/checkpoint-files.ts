import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import {
  type CheckpointReader,
  checkShards,
  longestHeader,
  parseShardIndex,
  readSafetensorsHeader,
  type SafetensorsEntry,
  weightFiles,
  widenTensor,
} from "../../models/index.js";
import { exists } from "../files/file-exists.js";
import { explainFileErrors, readText } from "../files/read-files.js";

/** The weights of a folder, read tensor by tensor. */
export interface CheckpointFiles extends CheckpointReader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** The one file, or the index of several. */
  readonly source: string;
  /** Names of the files that hold tensors. */
  readonly files: readonly string[];
}

/**
 * Opens `model.safetensors`, or where there is none the files of `model.safetensors.index.json`. Only
 * headers are read; the files must not change until the last tensor is.
 *
 * @throws PupilError for missing files, and tensors that index and files disagree on, by name
 */
export async function openCheckpoint(folder: string): Promise<CheckpointFiles> {
  const single = join(folder, weightFiles.single);
  const index = join(folder, weightFiles.index);
  if (!(await exists(single)) && (await exists(index))) return openShards(folder, index);
  if (!(await exists(single))) throw await noWeights(folder, single);
  return readerOfFile(single, "weights file");
}

/** The tensors of one safetensors file. */
export async function readerOfFile(path: string, what: string): Promise<CheckpointFiles> {
  return readerOf(new Map([[path, await readHeader(path, what)]]), path);
}

async function openShards(folder: string, index: string): Promise<CheckpointFiles> {
  const fileOf = parseShardIndex(await readText(index, "index of the weights"), index);
  const shards = new Map<string, SafetensorsEntry[]>();
  for (const file of new Set(fileOf.values())) {
    const what = `shard that ${weightFiles.index} names`;
    shards.set(file, await readHeader(join(folder, file), what));
  }
  checkShards(fileOf, shards, index);
  return readerOf(
    new Map([...shards].map(([file, entries]) => [join(folder, file), entries])),
    index,
  );
}

function readerOf(
  files: ReadonlyMap<string, readonly SafetensorsEntry[]>,
  source: string,
): CheckpointFiles {
  const entries = new Map<string, SafetensorsEntry>();
  const paths = new Map<string, string>();
  for (const [path, list] of files) {
    for (const entry of list) {
      entries.set(entry.name, entry);
      paths.set(entry.name, path);
    }
  }
  return {
    entries,
    source,
    files: [...files.keys()],
    read: async (name) => {
      const { dtype, begin, end } = entries.get(name) as SafetensorsEntry;
      const path = paths.get(name) as string;
      return widenTensor(dtype, await readRange(path, "weights file", begin, end));
    },
  };
}

/** Reads the header alone; the length that it claims is checked before anything is read. */
function readHeader(path: string, what: string): Promise<SafetensorsEntry[]> {
  return explainFileErrors(path, what, async () => {
    const { size } = await stat(path);
    const start = await readRange(path, what, 0, Math.min(8, size));
    const view = new DataView(start.buffer, start.byteOffset, start.length);
    const length = start.length < 8 ? 0 : Number(view.getBigUint64(0, true));
    // Where it claims what cannot be, the length is all that is needed to say so.
    const isPossible = 8 + length <= size && length <= longestHeader;
    const end = isPossible ? 8 + length : start.length;
    return readSafetensorsHeader(await readRange(path, what, 0, end), path, size);
  });
}

function readRange(path: string, what: string, begin: number, end: number): Promise<Uint8Array> {
  return explainFileErrors(path, what, async () => {
    const file = await open(path, "r");
    try {
      const bytes = new Uint8Array(end - begin);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, begin);
      if (bytesRead === bytes.length) return bytes;
      const problem = `The ${what} ends at byte ${begin + bytesRead}, before ${end}.`;
      throw new PupilError(problem, { field: path, remedy: "Copy or download it again." });
    } finally {
      await file.close();
    }
  });
}

async function noWeights(folder: string, path: string): Promise<PupilError> {
  const names = await readdir(folder).catch(() => []);
  const isExport = names.some((name) => name === "onnx");
  const other = names.find((name) => /\.(bin|pt|pth|gguf|h5|msgpack|onnx)$/.test(name));
  return new PupilError(`The weights file does not exist, nor does ${weightFiles.index}.`, {
    field: path,
    remedy: isExport
      ? 'This is an ONNX export: use it as a teacher of type "onnx", or give the folder that it was made from.'
      : other === undefined
        ? "Give a folder with weights in safetensors format."
        : `${other} is of another format: load it in Python and write it with save_pretrained.`,
  });
}
