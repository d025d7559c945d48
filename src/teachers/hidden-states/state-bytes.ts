import { fromFloat16 } from "../../models/index.js";
import { WrongAnswer } from "../http/check-answer.js";

export type StateDtype = "float32" | "float16";

export const stateBytes: Readonly<Record<StateDtype, number>> = { float32: 4, float16: 2 };

/** What base64 makes of so many bytes. */
export function base64Length(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}

/**
 * Hidden states from base64 of their numbers, little-endian.
 *
 * @throws WrongAnswer if it is no base64, of another number of bytes, or a number is not finite
 */
export function decodeStates(
  base64: unknown,
  count: number,
  hiddenSize: number,
  dtype: StateDtype,
): Float32Array {
  const size = count * hiddenSize;
  const expected = `${count} states of ${hiddenSize} ${dtype} numbers in base64`;
  if (typeof base64 !== "string") throw new WrongAnswer("states", expected, base64);
  const bytes = fromBase64(base64);
  if (bytes === undefined) throw new WrongAnswer("states", expected, "what is no base64");
  if (bytes.length !== size * stateBytes[dtype]) {
    throw new WrongAnswer(
      "states",
      `${expected}, ${size * stateBytes[dtype]} bytes`,
      `${bytes.length} bytes`,
    );
  }
  const view = new DataView(bytes.buffer);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    values[i] =
      dtype === "float32" ? view.getFloat32(4 * i, true) : fromFloat16(view.getUint16(2 * i, true));
    if (Number.isFinite(values[i])) continue;
    const where = `states, position ${Math.floor(i / hiddenSize)} of those asked for, number ${i % hiddenSize}`;
    throw new WrongAnswer(
      where,
      "a finite number",
      String(values[i]),
      dtype === "float16"
        ? "What float16 cannot hold arrives as infinity: set teacher.dtype to float32."
        : "The model is broken, or its computation overflows.",
    );
  }
  return values;
}

function fromBase64(text: string): Uint8Array | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
