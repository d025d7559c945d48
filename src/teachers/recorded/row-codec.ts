import { PupilError } from "../../errors/index.js";
import { fromFloat16, toFloat16 } from "../../models/index.js";

/** The teacher at one position, on the host. Log-probabilities are natural logarithms. */
export interface RecordedPosition {
  /** Of the row's own id. */
  readonly tokenLogProb: number;
  /** Logarithm of the mass of all tokens but `ids`. */
  readonly logTail: number;
  /** log Z of draws at temperature τ: their proposal has log Q = log T / τ − log Z. */
  readonly logNormalizer: number;
  /** `[K]`; the likeliest first, or draws. */
  readonly ids: ArrayLike<number>;
  /** `[K]` */
  readonly logProbs: ArrayLike<number>;
}

/** A row as a shard holds it: what was said of its learned positions only, ascending. */
export interface RecordedRow<P = RecordedPosition> {
  /** Name of the row in its data, for people. */
  readonly id?: string;
  readonly ids: readonly number[];
  readonly positions: readonly P[];
}

/** Widths of the numbers in a shard. */
export interface NumberWidths {
  readonly idBytes: 2 | 3 | 4;
  readonly floatBytes: 2 | 4;
}

/** How one position of a recording lies in a row. */
export interface PositionLayout<P> extends NumberWidths {
  readonly bytesPerPosition: number;
  write(position: P, writer: ByteWriter): void;
  read(reader: ByteReader): P;
}

export function numberWidths(vocabSize: number, dtype: "float16" | "float32"): NumberWidths {
  return {
    idBytes: vocabSize <= 2 ** 16 ? 2 : vocabSize <= 2 ** 24 ? 3 : 4,
    floatBytes: dtype === "float16" ? 2 : 4,
  };
}

/** Largest finite float16. */
export const largestFloat16 = 65504;

/**
 * A row as bytes, little-endian: number of ids and of positions and bytes of the name (4 bytes
 * each), the name in UTF-8, the ids, then every position as its layout writes it.
 */
export function encodeRow<P>(row: RecordedRow<P>, layout: PositionLayout<P>): Uint8Array {
  const { idBytes, bytesPerPosition } = layout;
  const { ids, positions } = row;
  const name = new TextEncoder().encode(row.id ?? "");
  const size = 12 + name.length + ids.length * idBytes + positions.length * bytesPerPosition;
  const writer = byteWriter(size, layout);
  writer.uint32(ids.length);
  writer.uint32(positions.length);
  writer.text(name);
  for (const id of ids) writer.id(id);
  for (const position of positions) layout.write(position, writer);
  return writer.bytes;
}

/**
 * The inverse of {@link encodeRow}, up to the rounding of the numbers.
 *
 * @throws PupilError if the bytes are not a row of this layout
 */
export function decodeRow<P>(bytes: Uint8Array, layout: PositionLayout<P>): RecordedRow<P> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [rowIds = 0, rowPositions = 0, nameBytes = 0] =
    bytes.length < 12 ? [] : [0, 4, 8].map((at) => view.getUint32(at, true));
  const expected =
    12 + nameBytes + rowIds * layout.idBytes + rowPositions * layout.bytesPerPosition;
  if (expected !== bytes.length) {
    throw new PupilError(
      `A row of ${bytes.length} bytes should have ${expected}: the manifest is not that of these shards.`,
      { remedy: "Restore both, or record again with pupil record-teacher." },
    );
  }
  const reader = byteReader(bytes, layout);
  const length = reader.uint32();
  const count = reader.uint32();
  const id = reader.text();
  const ids = Array.from({ length }, () => reader.id());
  const positions = Array.from({ length: count }, () => layout.read(reader));
  return { ids, positions, ...(id.text === "" ? {} : { id: id.text }) };
}

export type ByteWriter = ReturnType<typeof byteWriter>;
export type ByteReader = ReturnType<typeof byteReader>;

function byteWriter(size: number, { idBytes, floatBytes }: NumberWidths) {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  const uint32 = (value: number) => {
    view.setUint32(offset, value, true);
    offset += 4;
  };
  const float32 = (value: number) => {
    view.setFloat32(offset, value, true);
    offset += 4;
  };
  const float16 = (value: number) => {
    view.setUint16(offset, toFloat16(value), true);
    offset += 2;
  };
  const id = (value: number) => {
    view.setUint16(offset, value & 0xffff, true);
    if (idBytes > 2) view.setUint8(offset + 2, (value >>> 16) & 0xff);
    if (idBytes > 3) view.setUint8(offset + 3, value >>> 24);
    offset += idBytes;
  };
  const float = floatBytes === 2 ? float16 : float32;
  const text = (encoded: Uint8Array) => {
    uint32(encoded.length);
    bytes.set(encoded, offset);
    offset += encoded.length;
  };
  return { bytes, uint32, float32, float, id, text };
}

function byteReader(bytes: Uint8Array, { idBytes, floatBytes }: NumberWidths) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const uint32 = () => view.getUint32((offset += 4) - 4, true);
  const float32 = () => view.getFloat32((offset += 4) - 4, true);
  const float16 = () => fromFloat16(view.getUint16((offset += 2) - 2, true));
  const id = () => {
    const low = view.getUint16(offset, true);
    const third = idBytes > 2 ? view.getUint8(offset + 2) << 16 : 0;
    const fourth = idBytes > 3 ? view.getUint8(offset + 3) * 2 ** 24 : 0;
    offset += idBytes;
    return low + third + fourth;
  };
  const text = () => {
    const length = uint32();
    const encoded = bytes.subarray(offset, (offset += length));
    return { text: new TextDecoder().decode(encoded), bytes: length };
  };
  return { uint32, float32, text, float: floatBytes === 2 ? float16 : float32, id };
}
