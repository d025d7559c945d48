import * as tf from "@tensorflow/tfjs-core";

/** A backend that keeps what it made for a size, for the next time. */
export interface SizeKeepingBackend {
  /** Whether lengths are to be rounded up, so that there are few sizes. */
  readonly roundsLengths: boolean;
}

/**
 * The step of the buckets that lengths are rounded up to: 8 up to 127, and from there on an eighth of the power of two below
 * the length. So a rounded length is at most 7 positions or an eighth longer.
 */
export function bucketStep(length: number): number {
  return Math.max(8, 2 ** (Math.floor(Math.log2(Math.max(1, length))) - 3));
}

/**
 * A number of rows rounded up in the same way and for the same reason: from 8 on to a quarter of the power of two below, so that
 * less than a quarter more of them are computed. On every other backend, the number itself.
 */
export function bucketedRows(rows: number): number {
  if (!roundsLengths()) return rows;
  const step = Math.max(1, 2 ** (Math.floor(Math.log2(Math.max(1, rows))) - 2));
  return Math.ceil(rows / step) * step;
}

/** Whether the current backend wants lengths rounded up. */
export function roundsLengths(): boolean {
  return (tf.backend() as Partial<SizeKeepingBackend>).roundsLengths === true;
}

/**
 * A number of positions rounded up to a bucket (see {@link bucketStep}) where the current backend keeps buffers and recordings for
 * every size that it has met (WebGPU): batches then have one of few lengths. On every other backend, the number itself.
 *
 * @param most positions that there may be; a length above it stays as it is
 */
export function bucketedLength(length: number, most = Infinity): number {
  if (!roundsLengths()) return length;
  const step = bucketStep(length);
  return Math.max(length, Math.min(most, Math.ceil(length / step) * step));
}
