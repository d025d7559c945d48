import { checksum32 } from "../../../data/index.js";
import { logRows } from "../log-file.js";

/**
 * A log as an event file of TensorBoard, in pieces: an event for each step and evaluation, a scalar for each of
 * its quantities. The first dot of a name becomes a slash, by which TensorBoard groups. Rows of the first format
 * have no time: theirs are seconds of training.
 *
 * @see https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto (event.proto, summary.proto)
 */
export async function* eventsOf(log: string): AsyncGenerator<Uint8Array> {
  let seconds = 0;
  yield recordOf([double(1, 0), text(3, "brain.Event:2")]);
  for await (const row of logRows(log)) {
    if (row === undefined || !("values" in row)) continue;
    const { step, time, values } = row;
    seconds += (values["elapsedMs"] ?? 0) / 1000;
    const scalars = Object.entries(values).map(([name, value]) =>
      message(1, [text(1, name.replace(".", "/")), float(2, value)]),
    );
    const wallTime = time === undefined ? seconds : Date.parse(time) / 1000;
    yield recordOf([double(1, wallTime), varint(2, step), message(5, scalars)]);
  }
}

const crc32c = checksum32(0x82f63b78);

/** A TFRecord: length as u64, its checksum, the bytes, their checksum; numbers are little-endian. */
function recordOf(parts: readonly Uint8Array[]): Uint8Array {
  const data = Buffer.concat(parts);
  const [length, ends] = [Buffer.alloc(12), Buffer.alloc(4)];
  length.writeBigUInt64LE(BigInt(data.length));
  length.writeUInt32LE(masked(length.subarray(0, 8)), 8);
  ends.writeUInt32LE(masked(data));
  return Buffer.concat([length, data, ends]);
}

/** Rotated and shifted, so that the checksum of data with a checksum in it is not special. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

// Fields of protocol buffers: the number of the field and its wire type, then the value.

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9, (field << 3) | 1);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(5, (field << 3) | 5);
  bytes.writeFloatLE(value, 1);
  return bytes;
}

const varint = (field: number, value: number) => Buffer.from([field << 3, ...digitsOf(value)]);

const text = (field: number, value: string) => message(field, [Buffer.from(value)]);

function message(field: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...digitsOf(body.length)]), body]);
}

/** Seven bits a byte, the lowest first; all but the last have their highest bit set. */
function digitsOf(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...digitsOf(Math.floor(value / 128))];
}
