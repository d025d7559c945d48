import type { Random } from "../../src/tensors/index.js";
import { mutateJson } from "./mutate-json.js";

/** Changes the JSON header of a safetensors file and writes the length that it then has. */
export function mutateSafetensors(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 8) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = 8 + Number(view.getBigUint64(0, true));
  if (end > bytes.length) return bytes;
  const text = new TextDecoder().decode(bytes.subarray(8, end));
  const header = new TextEncoder().encode(mutateJson(text.trimEnd(), random));
  const mutated = new Uint8Array(8 + header.length + bytes.length - end);
  new DataView(mutated.buffer).setBigUint64(0, BigInt(header.length), true);
  mutated.set(header, 8);
  mutated.set(bytes.subarray(end), 8 + header.length);
  return mutated;
}
