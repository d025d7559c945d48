import type * as tf from "@tensorflow/tfjs-core";

type Info = tf.TensorInfo;

/**
 * What becomes of an entry of the product instead of its being stored: WGSL that reads `value` (bias included; `second`
 * beside it, where there is a second product), `row`, `col`, the index `at` and the arrays named here.
 */
export interface Epilogue {
  readonly name: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly code: string;
  /** Functions that the code calls. */
  readonly functions?: string;
}

/** One output: the sum of `a · b` over pairs, by term. */
export interface MatmulJob {
  readonly a: readonly Info[];
  readonly b: readonly Info[];
  /** Whether every a is stored as `[inner, rows]`, and every b as `[columns, inner]`. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Length of the inner axis of each term. */
  readonly inner: readonly number[];
  readonly bias?: Info | undefined;
  /** Added to the product. */
  readonly residual?: Info | undefined;
  /** Absent with an epilogue. */
  readonly out?: Info;
  readonly rows: number;
  readonly columns: number;
  /** Words from one line to the next, of jobs with one term that work on a part of a matrix. Default: no gap. */
  readonly strides?: Strides;
}

export interface Strides {
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

/** The distances of lines in memory of a term's operands, and of the output. */
export function stridesOf(job: MatmulJob, term: number): Strides {
  const { transposeA, transposeB, rows, columns, inner, strides } = job;
  const length = inner[term] as number;
  return (
    strides ?? {
      a: transposeA ? rows : length,
      b: transposeB ? length : columns,
      out: columns,
    }
  );
}

/**
 * A norm in front: the products are of the normed rows of a, `[rows, inner]`, the same for all jobs. With a bias it is a
 * layer norm, without one an RMS norm. What its gradient needs is written as well.
 */
export interface RowNorm {
  readonly weight: Info;
  readonly bias?: Info | undefined;
  readonly epsilon: number;
  /** `[rows, inner]`. */
  readonly normed: Info;
  /** `[rows, 1]`, with a bias. */
  readonly mean?: Info | undefined;
  /** `[rows, 1]`: the inverse deviation. */
  readonly scale: Info;
}

export interface MatmulCall {
  /** Computed side by side, in one call. */
  readonly jobs: readonly MatmulJob[];
  /** Where the operands and outputs begin in their arrays, by default at 0. */
  readonly offsets?: { readonly a?: number; readonly b?: number; readonly out?: number };
  readonly norm?: RowNorm | undefined;
  /** For a single job. */
  readonly epilogue?: { readonly code: Epilogue; readonly tensors: readonly Info[] };
  /** For a single job of one term with an epilogue: a second product, with another b of the same shape. */
  readonly second?: { readonly b: Info; readonly bias?: Info | undefined } | undefined;
}
