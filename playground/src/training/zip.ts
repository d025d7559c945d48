import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { type Decoder, decoderToTensors, PupilError, type Tokenizer } from "pupil";
import { encodeSafetensors, toHuggingFaceConfig } from "pupil/models";
import type { ModelFiles } from "./teachers.js";

const jsonFiles = ["config.json", "tokenizer.json", "tokenizer_config.json"] as const;
const weightsFile = "model.safetensors";

/** Beyond this a zip is no student of this page. */
const largestFile = 2 ** 30;

/** A Hugging Face folder, as `saveModelFolder` of `pupil/node` writes it, in a zip. */
export async function writeModelZip(
  model: Decoder,
  tokenizer: Tokenizer,
): Promise<Uint8Array<ArrayBuffer>> {
  const json = (value: object) => strToU8(`${JSON.stringify(value, null, 2)}\n`);
  const weights = encodeSafetensors(await decoderToTensors(model), {
    dtype: "float32",
    metadata: { format: "pt" },
  });
  return zipSync(
    {
      "config.json": json(toHuggingFaceConfig(model.config, { dtype: "float32" })),
      [weightsFile]: [weights, { level: 0 }],
      "tokenizer.json": json(tokenizer.toJson()),
      "tokenizer_config.json": json(tokenizer.toConfigJson()),
    },
    // Without the time of day, the same student is the same file.
    { mtime: "1980-01-01T00:00:00" },
  ) as Uint8Array<ArrayBuffer>;
}

/**
 * The files of such a zip, which may be in a folder of it.
 *
 * @throws PupilError for what is no zip, and for one that lacks a file
 */
export function readModelZip(bytes: Uint8Array, name: string): ModelFiles {
  const wanted: readonly string[] = [...jsonFiles, weightsFile];
  const baseName = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name: path, originalSize }) => {
        if (!wanted.includes(baseName(path))) return false;
        if (originalSize <= largestFile) return true;
        throw new PupilError(`${path} has ${originalSize} bytes, more than this page reads.`, {
          field: name,
        });
      },
    });
  } catch (error) {
    if (error instanceof PupilError) throw error;
    throw new PupilError(`This is no zip that can be read: ${(error as Error).message}`, {
      ...{ field: name, cause: error },
    });
  }
  const found = new Map(Object.entries(files).map(([path, content]) => [baseName(path), content]));
  const read = (file: string): Uint8Array => {
    const content = found.get(file);
    if (content !== undefined) return content;
    throw new PupilError(`It has no ${file}.`, {
      ...{ field: name, remedy: `A model folder has ${wanted.join(", ")}.` },
    });
  };
  const json = (file: string): unknown => {
    try {
      return JSON.parse(strFromU8(read(file)));
    } catch (error) {
      if (error instanceof PupilError) throw error;
      throw new PupilError(`${file} is no JSON: ${(error as Error).message}`, { field: name });
    }
  };
  return {
    "config.json": json("config.json"),
    "tokenizer.json": json("tokenizer.json"),
    ...(found.has("tokenizer_config.json") && {
      "tokenizer_config.json": json("tokenizer_config.json"),
    }),
    [weightsFile]: read(weightsFile),
  };
}
