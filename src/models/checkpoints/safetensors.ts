import { PupilError } from "../../errors/index.js";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./half-precision.js";
import { readSafetensorsHeader, type SafetensorsDtype } from "./safetensors-header.js";

/** Values of one tensor, row by row. */
export interface TensorValues {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Number formats that weights are saved in. */
export const weightDtypes = ["float32", "float16", "bfloat16"] as const;
export type WeightDtype = (typeof weightDtypes)[number];

/** A tensor of a file, widened to float32 (exactly); `dtype` is what the file holds. */
export interface LoadedTensor extends TensorValues {
  readonly dtype: SafetensorsDtype;
}

/**
 * All tensors of a safetensors file (F32, F16, BF16), in the order of its header.
 *
 * @param source how errors call the file, such as its path
 * @throws PupilError for anything that is not a complete, consistent file; checked before any tensor
 *   is read
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): Map<string, LoadedTensor> {
  const entries = readSafetensorsHeader(bytes, source);
  return new Map(
    entries.map(({ name, dtype, shape, begin, end }) => {
      const data = widenTensor(dtype, bytes.subarray(begin, end));
      return [name, { dtype, shape, data }];
    }),
  );
}

/**
 * A safetensors file. Float16 and bfloat16 round to nearest, ties to even.
 *
 * @throws PupilError when a finite value is too large for the format
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, TensorValues>,
  options: {
    readonly dtype: WeightDtype;
    /** Python `transformers` wants `format: "pt"`, the default. */
    readonly metadata?: Readonly<Record<string, string>>;
  },
): Uint8Array {
  const { dtype, numBytes, write } = encoders[options.dtype];
  // Joined by hand: an object would reorder names that look like numbers and swallow `__proto__`.
  const header = [`"__metadata__":${JSON.stringify(options.metadata ?? { format: "pt" })}`];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const numElements = shape.reduce((a, b) => a * b, 1);
    if (numElements !== data.length) {
      throw new Error(
        `${name} [${shape.join(", ")}] needs ${numElements} values, got ${data.length}.`,
      );
    }
    const end = offset + numElements * numBytes;
    const entry = { dtype, shape, data_offsets: [offset, end] };
    header.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${header.join(",")}}`);
  // Spaces after the JSON let the data begin at a multiple of 8 bytes.
  const dataStart = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(dataStart + offset).fill(0x20, 8, dataStart);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(json, 8);
  let position = dataStart;
  for (const [name, { data }] of tensors) {
    write(bytes.subarray(position, position + data.length * numBytes), data, name);
    position += data.length * numBytes;
  }
  return bytes;
}

/** Bytes of a tensor in a file. */
export function encodedBytes({ data }: TensorValues, dtype: WeightDtype): number {
  return data.length * encoders[dtype].numBytes;
}

/** The values of a tensor from its bytes in a file. */
export function widenTensor(dtype: SafetensorsDtype, bytes: Uint8Array): Float32Array {
  return decoders[dtype](bytes);
}

// Typed arrays have the byte order of the machine; safetensors and every machine that runs
// JavaScript engines today are little-endian.
const decoders: Record<SafetensorsDtype, (bytes: Uint8Array) => Float32Array> = {
  F32: (bytes) => {
    const data = new Float32Array(bytes.length / 4);
    new Uint8Array(data.buffer).set(bytes);
    return data;
  },
  F16: (bytes) => decodeHalves(bytes, fromFloat16),
  BF16: (bytes) => decodeHalves(bytes, fromBfloat16),
};

function decodeHalves(bytes: Uint8Array, decode: (half: number) => number): Float32Array {
  const data = new Float32Array(bytes.length / 2);
  for (let i = 0; i < data.length; i++) {
    data[i] = decode((bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8));
  }
  return data;
}

interface Encoder {
  readonly dtype: SafetensorsDtype;
  readonly numBytes: number;
  write(target: Uint8Array, data: Float32Array, name: string): void;
}

const encoders: Record<WeightDtype, Encoder> = {
  float32: {
    dtype: "F32",
    numBytes: 4,
    write: (target: Uint8Array, data: Float32Array) =>
      target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  },
  float16: {
    dtype: "F16",
    numBytes: 2,
    write: halfWriter(toFloat16, 0x7c00, "float16 (at most 65504)"),
  },
  bfloat16: {
    dtype: "BF16",
    numBytes: 2,
    write: halfWriter(toBfloat16, 0x7f80, "bfloat16 (at most 3.39e38)"),
  },
};

/** Values as the little-endian bytes of a type; a copy. */
export function encodeTensorData(data: Float32Array, dtype: WeightDtype, name: string): Uint8Array {
  const { numBytes, write } = encoders[dtype];
  const bytes = new Uint8Array(data.length * numBytes);
  write(bytes, data, name);
  return bytes;
}

/** Writes numbers of 16 bits. `infinity` is their bits, `range` names them and their limit. */
function halfWriter(toHalf: (value: number) => number, infinity: number, range: string) {
  return (target: Uint8Array, data: Float32Array, name: string): void => {
    for (let i = 0; i < data.length; i++) {
      const value = data[i] as number;
      const half = toHalf(value);
      if ((half & 0x7fff) === infinity && Number.isFinite(value)) {
        throw new PupilError(`${value} at index ${i} is too large for ${range}.`, {
          field: `tensor "${name}"`,
          value,
          remedy: "Save in float32.",
        });
      }
      target[2 * i] = half & 0xff;
      target[2 * i + 1] = half >>> 8;
    }
  };
}
