import { PupilError } from "../../errors/index.js";
import { fromFloat16, toFloat16 } from "../../models/index.js";

/** What decides the width of every number in a shard. */
export interface RowLayout {
  readonly k: number;
  readonly idBytes: 2 | 3 | 4;
  readonly floatBytes: 2 | 4;
  /** Whether positions have the normalizer of a proposal other than the teacher itself. */
  readonly hasNormalizer: boolean;
}

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

/** A row as a shard holds it: learned positions only, ascending. */
export interface RecordedRow {
  /** Name of the row in its data, for people. */
  readonly id?: string;
  readonly ids: readonly number[];
  readonly positions: readonly RecordedPosition[];
}

export function rowLayout(options: {
  readonly vocabSize: number;
  readonly k: number;
  readonly dtype: "float16" | "float32";
  readonly tokens: "likeliest" | "draws";
  readonly sampleTemperature: number;
}): RowLayout {
  const { vocabSize, k, dtype, tokens, sampleTemperature } = options;
  return {
    k,
    idBytes: vocabSize <= 2 ** 16 ? 2 : vocabSize <= 2 ** 24 ? 3 : 4,
    floatBytes: dtype === "float16" ? 2 : 4,
    hasNormalizer: tokens === "draws" && sampleTemperature !== 1,
  };
}

/** Bytes of one position: at k = 50 with float16, 204 for ids below 2^16 and 254 below 2^24. */
export function bytesPerPosition(layout: RowLayout): number {
  const { k, idBytes, floatBytes, hasNormalizer } = layout;
  return k * (idBytes + floatBytes) + 2 * floatBytes + (hasNormalizer ? 4 : 0);
}

/** Largest finite float16; log-probabilities below it mean 0 as it does. */
const lowest = -65504;

/**
 * A row as bytes, little-endian: number of ids and of positions and bytes of the name (4 bytes
 * each), the name in UTF-8, the ids, then for every position the log-probability of the row's own id, the log tail mass, a normalizer (float32)
 * if the layout has one, the K ids, the K log-probabilities.
 */
export function encodeRow(row: RecordedRow, layout: RowLayout): Uint8Array {
  const { idBytes, hasNormalizer } = layout;
  const { ids, positions } = row;
  const name = new TextEncoder().encode(row.id ?? "");
  const size =
    12 + name.length + ids.length * idBytes + positions.length * bytesPerPosition(layout);
  const writer = byteWriter(size, layout);
  writer.uint32(ids.length);
  writer.uint32(positions.length);
  writer.text(name);
  for (const id of ids) writer.id(id);
  for (const position of positions) {
    if (position.ids.length !== layout.k || position.logProbs.length !== layout.k) {
      throw new Error(`A position has ${position.ids.length} tokens, not ${layout.k}.`);
    }
    writer.float(position.tokenLogProb);
    writer.float(position.logTail);
    if (hasNormalizer) writer.float32(position.logNormalizer);
    for (let i = 0; i < layout.k; i++) writer.id(position.ids[i] as number);
    for (let i = 0; i < layout.k; i++) writer.float(position.logProbs[i] as number);
  }
  return writer.bytes;
}

/**
 * The inverse of {@link encodeRow}, up to the rounding of the log-probabilities.
 *
 * @throws PupilError if the bytes are not a row of this layout
 */
export function decodeRow(bytes: Uint8Array, layout: RowLayout): RecordedRow {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [rowIds = 0, rowPositions = 0, nameBytes = 0] =
    bytes.length < 12 ? [] : [0, 4, 8].map((at) => view.getUint32(at, true));
  const expected =
    12 + nameBytes + rowIds * layout.idBytes + rowPositions * bytesPerPosition(layout);
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
  const positions = Array.from({ length: count }, (): RecordedPosition => {
    const tokenLogProb = reader.float();
    const logTail = reader.float();
    const logNormalizer = layout.hasNormalizer ? reader.float32() : 0;
    const tokenIds = Array.from({ length: layout.k }, () => reader.id());
    const logProbs = Array.from({ length: layout.k }, () => reader.float());
    return { tokenLogProb, logTail, logNormalizer, ids: tokenIds, logProbs };
  });
  return { ids, positions, ...(id.text === "" ? {} : { id: id.text }) };
}

function byteWriter(size: number, { idBytes, floatBytes }: RowLayout) {
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
    view.setUint16(offset, toFloat16(Math.max(value, lowest)), true);
    offset += 2;
  };
  const id = (value: number) => {
    view.setUint16(offset, value & 0xffff, true);
    if (idBytes > 2) view.setUint8(offset + 2, (value >>> 16) & 0xff);
    if (idBytes > 3) view.setUint8(offset + 3, value >>> 24);
    offset += idBytes;
  };
  const float = floatBytes === 2 ? float16 : (value: number) => float32(Math.max(value, lowest));
  const text = (encoded: Uint8Array) => {
    uint32(encoded.length);
    bytes.set(encoded, offset);
    offset += encoded.length;
  };
  return { bytes, uint32, float32, float, id, text };
}

function byteReader(bytes: Uint8Array, { idBytes, floatBytes }: RowLayout) {
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
