import type * as tf from "@tensorflow/tfjs-core";
import { Random } from "../../../../src/tensors/index.js";
import { fromValues, type NdArray, sizeOf } from "../reference/array.js";

/** One call of one op, with everything the conformance suite holds it to. */
export interface OpCase {
  readonly op: string;
  readonly title: string;
  /** Values that float32 holds exactly, so that float64 and float32 start from the same point. */
  readonly inputs: Readonly<Record<string, NdArray>>;
  /** Inputs given as int32. */
  readonly int32?: readonly string[];
  /** Inputs whose gradient is checked against central differences. */
  readonly differentiable: readonly string[];
  /** Inputs that the op treats as constants: their gradient must be exactly 0. */
  readonly constants?: readonly string[];
  /** Through the public function. */
  run(tensors: Record<string, tf.Tensor>): tf.Tensor;
  /** Through the op's composed reference. */
  composed(tensors: Record<string, tf.Tensor>): tf.Tensor;
  /** In float64, without tfjs. */
  expected(inputs: Record<string, NdArray>): NdArray;
  /** Absolute error of the composed reference, if it is written for clarity more than precision. */
  readonly composedAbsolute?: number;
}

const random = new Random(20);

/** Normal values in float32, the same in every run. */
export function normals(shape: readonly number[], name: string, scale = 1): NdArray {
  const stream = random.stream(name, ...shape);
  return fromValues(
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.fround(scale * stream.normal())),
  );
}

export function integers(shape: readonly number[], name: string, bound: number): NdArray {
  const stream = random.stream(name, ...shape, bound);
  return fromValues(
    shape,
    Array.from({ length: sizeOf(shape) }, () => stream.integer(bound)),
  );
}

/** Reads an input that the case is known to have. */
export function input<T>(inputs: Readonly<Record<string, T>>, name: string): T {
  const value = inputs[name];
  if (value === undefined) throw new Error(`The case has no input ${name}.`);
  return value;
}
