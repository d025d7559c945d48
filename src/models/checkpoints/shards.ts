import { PupilError, showValue } from "../../errors/index.js";
import { encodedBytes, type TensorValues, type WeightDtype } from "./safetensors.js";
import { findDuplicateKey, type SafetensorsEntry } from "./safetensors-header.js";

/** Names of weight files in a Hugging Face folder. */
export const weightFiles = {
  single: "model.safetensors",
  index: "model.safetensors.index.json",
} as const;

export interface ShardOptions {
  readonly dtype: WeightDtype;
  /** Where the tensors need more, they are spread over files of at most this size (but for headers). */
  readonly maxShardBytes: number;
}

export interface ShardPlan {
  /** Which tensors go into which file. */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, TensorValues>>;
  /** Content of the index; absent with a single file. */
  readonly index?: object;
}

/**
 * Spreads tensors over files in their order, as `save_pretrained` of Python `transformers` does: one
 * `model.safetensors`, or `model-00001-of-00003.safetensors` … with an index. A tensor is never cut.
 */
export function planShards(
  tensors: ReadonlyMap<string, TensorValues>,
  { dtype, maxShardBytes }: ShardOptions,
): ShardPlan {
  if (!(maxShardBytes >= 1)) {
    throw new PupilError(`${maxShardBytes} is no size of a file.`, {
      field: "maxShardBytes",
      value: maxShardBytes,
      remedy: "Give a number of bytes, such as 2e9.",
    });
  }
  const shards: Map<string, TensorValues>[] = [new Map()];
  let [size, total, parameters] = [0, 0, 0];
  for (const [name, tensor] of tensors) {
    const bytes = encodedBytes(tensor, dtype);
    if (size > 0 && size + bytes > maxShardBytes) {
      shards.push(new Map());
      size = 0;
    }
    shards.at(-1)?.set(name, tensor);
    size += bytes;
    total += bytes;
    parameters += tensor.data.length;
  }
  if (shards.length === 1) return { files: new Map([[weightFiles.single, tensors]]) };
  const digits = (n: number) => String(n).padStart(5, "0");
  const files = new Map(
    shards.map((shard, i) => [
      `model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`,
      shard,
    ]),
  );
  const weightMap = [...files].flatMap(([file, shard]) => [...shard.keys()].map((n) => [n, file]));
  return {
    files,
    index: {
      metadata: { total_parameters: parameters, total_size: total },
      weight_map: Object.fromEntries(weightMap),
    },
  };
}

/**
 * The file of every tensor, from the text of `model.safetensors.index.json`.
 *
 * @throws PupilError for anything that does not map each name to one file of the same folder
 */
export function parseShardIndex(text: string, source: string): Map<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const problem = `The index is not valid JSON: ${(cause as Error).message}.`;
    throw new PupilError(problem, { field: source, cause });
  }
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new PupilError("The index has no weight_map of tensor names to files.", {
      field: source,
      remedy: "Copy or download it again.",
    });
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) {
    throw new PupilError(`The index has the name "${duplicate}" twice.`, { field: source });
  }
  for (const [name, file] of Object.entries(map)) {
    if (typeof file === "string" && /^[^/\\]+\.safetensors$/.test(file)) continue;
    throw new PupilError(`${showValue(file)} is no name of a safetensors file beside it.`, {
      field: `${source}: tensor "${name}"`,
      value: file,
    });
  }
  return new Map(Object.entries(map as Record<string, string>));
}

/**
 * Checks that every tensor of an index is in its file and nowhere else, and that the files have no
 * others.
 *
 * @param shards what each file holds
 * @throws PupilError naming tensor and files
 */
export function checkShards(
  fileOf: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, readonly Pick<SafetensorsEntry, "name">[]>,
  source: string,
): void {
  const found = new Map<string, string>();
  for (const [file, entries] of shards) {
    for (const { name } of entries) {
      const other = found.get(name);
      const fail = (problem: string): never => {
        const remedy = "Use the index that belongs to these files, or download them all again.";
        throw new PupilError(problem, { field: `${source}: tensor "${name}"`, remedy });
      };
      if (other !== undefined) fail(`It is in ${other} and again in ${file}.`);
      if (!fileOf.has(name)) fail(`It is in ${file}, but the index does not name it.`);
      found.set(name, file);
    }
  }
  for (const [name, file] of fileOf) {
    if (found.get(name) === file) continue;
    const elsewhere = found.has(name) ? ` It is in ${found.get(name)}.` : "";
    throw new PupilError(`The index says that it is in ${file}, which lacks it.${elsewhere}`, {
      field: `${source}: tensor "${name}"`,
      remedy: "Use the index that belongs to these files, or download them all again.",
    });
  }
}
