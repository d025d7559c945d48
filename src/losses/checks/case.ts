import * as tf from "@tensorflow/tfjs-core";
import { keepTensor, readValues } from "../../tensors/index.js";
import { inputsOf } from "../combine.js";
import type { LossDefinition } from "../define.js";
import { type LossInput, lossInputFacts, type LossInputs } from "../inputs.js";

/** A loss at one configuration. */
export interface CheckedLoss {
  readonly definition: LossDefinition;
  /** Parsed, with the defaults. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Numbers with a shape. */
export interface LossArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Inputs of a loss as plain numbers, so that checks can change single entries. */
export type LossCase = { readonly [K in LossInput]?: LossArray };

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The entries of a case by name. */
export function entriesOf(values: LossCase): [LossInput, LossArray][] {
  return Object.entries(values) as [LossInput, LossArray][];
}

/** A case with some of its inputs replaced. */
export function mapCase(
  values: LossCase,
  f: (array: LossArray, input: LossInput) => LossArray,
): LossCase {
  return Object.fromEntries(entriesOf(values).map(([input, a]) => [input, f(a, input)]));
}

/** Reads entries along one axis in another order, with repeats or leaving some out. */
export function reindexArray(array: LossArray, axis: number, order: readonly number[]): LossArray {
  const { shape, data } = array;
  const inner = sizeOf(shape.slice(axis + 1));
  const size = shape[axis] as number;
  const outer = sizeOf(shape.slice(0, axis));
  const result = data.slice(0, 0).constructor as typeof Float32Array;
  const moved = new result(outer * order.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [to, from] of order.entries()) {
      const start = (o * size + from) * inner;
      moved.set(data.subarray(start, start + inner), (o * order.length + to) * inner);
    }
  }
  return { shape: shape.map((n, i) => (i === axis ? order.length : n)), data: moved };
}

/** The axis of an input that has a letter, or −1. */
export function axisOf(input: LossInput, letter: string): number {
  return lossInputFacts(input).shape.split(" ").indexOf(letter);
}

/** {@link reindexArray} on every axis with that letter. */
export function reindex(values: LossCase, letter: string, order: readonly number[]): LossCase {
  return mapCase(values, (array, input) => {
    const letters = lossInputFacts(input).shape.split(" ");
    return letters.reduce(
      (current, l, axis) => (l === letter ? reindexArray(current, axis, order) : current),
      array,
    );
  });
}

/** Number of rows of a case. */
export function rowsOf(values: LossCase): number {
  return entriesOf(values)[0]?.[1].shape[0] ?? 0;
}

/** The case as tensors, for the scope that the caller has opened. */
export function tensorsOf(values: LossCase): { [K in LossInput]: LossInputs[K] } {
  const tensors = entriesOf(values).map(([input, { shape, data }]) => {
    return [input, tf.tensor(data, [...shape], lossInputFacts(input).dtype)];
  });
  return Object.fromEntries(tensors) as ReturnType<typeof tensorsOf>;
}

/** Values of a loss, `[B, T]` or `[B]`. */
export async function valuesOf(
  { definition, config }: CheckedLoss,
  values: LossCase,
): Promise<LossArray> {
  const result = tf.tidy(() => definition.evaluate(tensorsOf(values), config));
  const { shape } = result;
  return { shape, data: await readValues(result, "float32") };
}

/** Values of a loss with the gradient of their weighted sum. */
export interface Evaluation {
  readonly values: LossArray;
  /** With respect to every float input of the case. */
  readonly gradients: ReadonlyMap<LossInput, Float32Array>;
}

/**
 * Values, and the gradient of Σ weight · value.
 *
 * @param weights one per value; 1 by default
 */
export async function evaluateCase(
  { definition, config }: CheckedLoss,
  values: LossCase,
  weights?: Float32Array,
): Promise<Evaluation> {
  const names = entriesOf(values)
    .map(([input]) => input)
    .filter((input) => lossInputFacts(input).dtype === "float32");
  let kept: tf.Tensor | undefined;
  const gradients = tf.tidy(() => {
    const tensors = tensorsOf(values);
    const differentiate = tf.grads((...given: tf.Tensor[]) => {
      const replaced = Object.fromEntries(names.map((name, i) => [name, given[i]]));
      const result = definition.evaluate({ ...tensors, ...replaced } as LossInputs, config);
      kept = keepTensor(result.clone());
      const weighted = weights ? maskedProduct(result, weights) : result;
      // Autodiff refuses an input that is not reached.
      const reached = given.map((tensor) => tensor.mul(0).sum());
      return tf.addN([weighted.sum(), ...reached]);
    });
    return differentiate(names.map((name) => tensors[name]));
  });
  const result = kept as tf.Tensor;
  const read: [LossInput, Float32Array][] = [];
  for (const [i, name] of names.entries()) {
    read.push([name, await readValues(gradients[i] as tf.Tensor, "float32")]);
  }
  const { shape } = result;
  const data = await readValues(result, "float32");
  return { values: { shape, data }, gradients: new Map(read) };
}

/** As a trainer masks: a value of weight 0 is left out, not multiplied by 0. */
function maskedProduct(values: tf.Tensor, weights: Float32Array): tf.Tensor {
  const w = tf.tensor(weights, values.shape);
  return tf.where(w.notEqual(0), values, tf.zerosLike(values)).mul(w);
}

/** The inputs of a loss that the student is trained through. */
export function trainedInputs(definition: LossDefinition): LossInput[] {
  return inputsOf(definition).filter((input) => lossInputFacts(input).gradient);
}

/** Whether an input is a mask that other inputs of the loss are marked by. */
export function isMask(input: LossInput): boolean {
  return input.endsWith("Mask");
}
