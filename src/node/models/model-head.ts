import { createHash } from "node:crypto";
import { join } from "node:path";
import { PupilError } from "../../errors/index.js";
import { openCheckpoint, openTensors } from "../../folders/index.js";
import { encodeSafetensors, headTensorName, type TensorValues } from "../../models/index.js";
import type { HeadValues } from "../../teachers/index.js";
import { diskFolder } from "../files/disk-folder.js";
import { isAdapterFolder } from "./adapter-folder.js";
import { findModelFolder } from "./find-model.js";
import { readModelConfig } from "./model-folder.js";

/** Of a recording of hidden states, beside its manifest. */
export const headFile = "head.safetensors";

/** The one tensor in it, `[V, D]`. */
const headName = "head";

/**
 * The head of a model folder or a run's last checkpoint; its other weights are not read.
 *
 * @throws PupilError also for an adapter's folder
 */
export async function readModelHead(path: string): Promise<HeadValues> {
  const folder = await findModelFolder(path);
  if (await isAdapterFolder(folder)) {
    throw new PupilError("An adapter has no head of its own.", {
      field: folder,
      remedy: "Give the folder of its base model, or merge it (pupil merge).",
    });
  }
  const { config } = await readModelConfig(folder);
  const { entries, source, read } = await openCheckpoint(diskFolder(folder));
  const values = await read(headTensorName(config, entries, source));
  return { vocabSize: config.vocabSize, hiddenSize: config.hiddenSize, values };
}

/** The head that lies beside a recording of hidden states. */
export async function readRecordedHead(folder: string): Promise<HeadValues> {
  const path = join(folder, headFile);
  const files = diskFolder(folder);
  const { entries, read } = await openTensors(files, headFile, "head of the recording");
  const [vocabSize, hiddenSize, ...others] = entries.get(headName)?.shape ?? [];
  if (vocabSize === undefined || hiddenSize === undefined || others.length > 0) {
    throw new PupilError(`It has no matrix called ${headName}.`, {
      field: path,
      remedy: "Restore the file, or record again with pupil record-teacher.",
    });
  }
  return { vocabSize, hiddenSize, values: await read(headName) };
}

export function encodeHead({ values, vocabSize, hiddenSize }: HeadValues): Uint8Array {
  const tensor: TensorValues = { shape: [vocabSize, hiddenSize], data: values };
  return encodeSafetensors(new Map([[headName, tensor]]), { dtype: "float32" });
}

/** SHA-256 of its float32 values, row by row, little-endian, as this machine has them. */
export function hashOfHead({ values }: HeadValues): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const hash = createHash("sha256");
  // OpenSSL takes no more than 2 GiB at once.
  const most = 2 ** 30;
  for (let start = 0; start < bytes.length; start += most) {
    hash.update(bytes.subarray(start, start + most));
  }
  return hash.digest("hex");
}
