import { PupilError } from "../errors/index.js";
import {
  type CheckpointReader,
  checkShards,
  longestHeader,
  parseShardIndex,
  readSafetensorsHeader,
  type SafetensorsEntry,
  weightFiles,
  widenTensor,
} from "../models/index.js";
import { type FileBytes, type FolderFiles, readFolderText } from "./folder-files.js";

/** The weights of a folder, read tensor by tensor. */
export interface CheckpointFiles extends CheckpointReader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** The one file, or the index of several. */
  readonly source: string;
  /** What errors call the files that hold tensors. */
  readonly files: readonly string[];
}

/**
 * Opens `model.safetensors`, or where there is none the files of `model.safetensors.index.json`. Only
 * headers are read; the files must not change until the last tensor is.
 *
 * @throws PupilError for missing files, and tensors that index and files disagree on, by name
 */
export async function openCheckpoint(folder: FolderFiles): Promise<CheckpointFiles> {
  const { single, index } = weightFiles;
  if (await folder.has(single)) return openTensors(folder, single, "weights file");
  if (await folder.has(index)) return openShards(folder);
  throw await noWeights(folder);
}

/** The tensors of one safetensors file. */
export async function openTensors(
  folder: FolderFiles,
  file: string,
  what: string,
): Promise<CheckpointFiles> {
  return readerOf([await openShard(folder, file, what)], folder.pathOf(file));
}

/**
 * The names of the files that hold the weights of a folder, with the index where there is one.
 *
 * @throws PupilError as {@link openCheckpoint} does where there are none
 */
export async function weightsOf(folder: FolderFiles): Promise<string[]> {
  const { single, index } = weightFiles;
  if (await folder.has(single)) return [single];
  if (!(await folder.has(index))) throw await noWeights(folder);
  return [index, ...new Set((await readIndex(folder)).values())];
}

interface Shard {
  readonly path: string;
  readonly bytes: FileBytes;
  readonly entries: readonly SafetensorsEntry[];
}

async function readIndex(folder: FolderFiles): Promise<Map<string, string>> {
  const { index } = weightFiles;
  const text = await readFolderText(folder, index, "index of the weights");
  return parseShardIndex(text, folder.pathOf(index));
}

async function openShards(folder: FolderFiles): Promise<CheckpointFiles> {
  const source = folder.pathOf(weightFiles.index);
  const fileOf = await readIndex(folder);
  const shards = new Map<string, Shard>();
  for (const file of new Set(fileOf.values())) {
    const what = `shard that ${weightFiles.index} names`;
    shards.set(file, await openShard(folder, file, what));
  }
  const entries = new Map([...shards].map(([file, shard]) => [file, shard.entries]));
  checkShards(fileOf, entries, source);
  return readerOf([...shards.values()], source);
}

function readerOf(shards: readonly Shard[], source: string): CheckpointFiles {
  const found = new Map(
    shards.flatMap((shard) => shard.entries.map((entry) => [entry.name, { shard, entry }])),
  );
  return {
    entries: new Map([...found].map(([name, { entry }]) => [name, entry])),
    source,
    files: shards.map(({ path }) => path),
    read: async (name) => {
      const { shard, entry } = found.get(name) as { shard: Shard; entry: SafetensorsEntry };
      return widenTensor(entry.dtype, await shard.bytes.read(entry.begin, entry.end));
    },
  };
}

/** Reads the header alone; the length that it claims is checked before anything is read. */
async function openShard(folder: FolderFiles, file: string, what: string): Promise<Shard> {
  const path = folder.pathOf(file);
  const bytes = await folder.open(file, what);
  const { size } = bytes;
  const start = await bytes.read(0, Math.min(8, size));
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const length = start.length < 8 ? 0 : Number(view.getBigUint64(0, true));
  // Where it claims what cannot be, the length is all that is needed to say so.
  const isPossible = 8 + length <= size && length <= longestHeader;
  const end = isPossible ? 8 + length : start.length;
  return { path, bytes, entries: readSafetensorsHeader(await bytes.read(0, end), path, size) };
}

async function noWeights(folder: FolderFiles): Promise<PupilError> {
  const names = (await folder.list()) ?? [];
  const isExport = names.some((name) => name === "onnx" || name.startsWith("onnx/"));
  const other = names.find((name) => /\.(bin|pt|pth|gguf|h5|msgpack|onnx)$/.test(name));
  return new PupilError(`The weights file does not exist, nor does ${weightFiles.index}.`, {
    field: folder.pathOf(weightFiles.single),
    remedy: isExport
      ? 'This is an ONNX export: use it as a teacher of type "onnx", or give the folder that it was made from.'
      : other === undefined
        ? "Give a folder with weights in safetensors format."
        : `${other} is of another format: load it in Python and write it with save_pretrained.`,
  });
}
