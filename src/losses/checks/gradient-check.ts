import * as tf from "@tensorflow/tfjs-core";
import { disposeAll, readValues } from "../../tensors/index.js";
import { inputsOf } from "../combine.js";
import type { LossInput } from "../inputs.js";
import { recordStopped, replayStopped } from "../stop-gradient.js";
import {
  type CheckedLoss,
  evaluateCase,
  type LossArray,
  type LossCase,
  reindex,
  rowsOf,
  tensorsOf,
  trainedInputs,
} from "./case.js";
import { always, type Finding, type LossCheck } from "./check.js";
import { randomCase } from "./random-case.js";

/** How far each input is moved; float32 leaves about 2e-4 of the difference. */
const step = 5e-3;
/** Allowed error, relative to the gradient or to `floor`. */
const tolerance = 2e-3;
const floor = 1e-1;

export const centralDifferenceCheck: LossCheck = {
  name: "has the gradient of its values, by central differences",
  applies: always,
  run: async (loss) => {
    const values = randomCase(inputsOf(loss.definition), 1);
    const { gradients } = await evaluateCase(loss, values);
    const findings: Finding[] = [];
    for (const input of trainedInputs(loss.definition)) {
      const gradient = gradients.get(input) as Float32Array;
      const slopes = await oneSidedSlopes(loss, values, input);
      const errors = [...gradient].map((g, i) => errorOf(g, slopes[i] as Slopes));
      const error = Math.max(...errors);
      const what = `gradient of ${input}`;
      const count = errors.filter((e) => !(e < tolerance)).length;
      const i = errors.findIndex((e) => !(e < tolerance));
      const { left, right } = slopes[Math.max(0, i)] as Slopes;
      const problem = `${what}: entry ${i} is ${gradient[i]}, expected ${((left + right) / 2).toPrecision(5)} (${count} of ${gradient.length} are wrong)`;
      findings.push(count === 0 ? { what, error } : { what, error, problem });
    }
    return findings;
  },
};

interface Slopes {
  readonly left: number;
  readonly right: number;
}

/**
 * How far a gradient is from the mean of both slopes, or from between them where the loss has a kink;
 * relative to the mean or to `floor`.
 */
function errorOf(gradient: number, { left, right }: Slopes): number {
  const central = (left + right) / 2;
  const scale = Math.max(Math.abs(central), floor);
  const hasKink = Math.abs(right - left) > 0.05 * Math.max(1, Math.abs(central));
  const outside = Math.max(Math.min(left, right) - gradient, gradient - Math.max(left, right), 0);
  return (hasKink ? outside : Math.abs(gradient - central)) / scale;
}

/**
 * (f(x) − f(x − h)) / h and (f(x + h) − f(x)) / h for every entry x of an input, f being the sum of
 * the values. What the loss excludes from its gradient is held at its value at x.
 */
async function oneSidedSlopes(
  loss: CheckedLoss,
  values: LossCase,
  input: LossInput,
): Promise<Slopes[]> {
  const { data } = values[input] as LossArray;
  const size = data.length;
  // Copies 0..size−1 are moved up, the next `size` down, the last one not at all.
  const moves = [...data.keys()].map((i) => ({ i, h: step }));
  const copies = [...moves, ...moves.map(({ i }) => ({ i, h: -step })), { i: 0, h: 0 }];
  const results = loss.definition.properties.comparesRows
    ? await oneByOne(loss, values, input, copies)
    : await allAtOnce(loss, values, input, copies);
  const [unmoved] = results.slice(-1) as [Float32Array];
  const change = (copy: number) =>
    (results[copy] as Float32Array).reduce((sum, v, j) => sum + (v - (unmoved[j] as number)), 0);
  return moves.map(({ i }) => ({ left: -change(size + i) / step, right: change(i) / step }));
}

interface Move {
  readonly i: number;
  readonly h: number;
}

/** All copies in one batch. */
async function allAtOnce(
  loss: CheckedLoss,
  values: LossCase,
  input: LossInput,
  copies: readonly Move[],
): Promise<Float32Array[]> {
  const rows = rowsOf(values);
  const order = copies.flatMap(() => Array.from({ length: rows }, (_, row) => row));
  const tiled = reindex(values, "B", order);
  const { shape, data } = tiled[input] as LossArray;
  const moved = Float32Array.from(data);
  const size = moved.length / copies.length;
  for (const [copy, { i, h }] of copies.entries()) {
    moved[copy * size + i] = (data[i] as number) + h;
  }
  const result = await frozenValues(
    loss,
    values,
    { ...tiled, [input]: { shape, data: moved } },
    order,
  );
  const width = result.length / copies.length;
  return copies.map((_, copy) => result.slice(copy * width, (copy + 1) * width));
}

/** Each copy by itself, for losses that compare the rows of a batch. */
async function oneByOne(
  loss: CheckedLoss,
  values: LossCase,
  input: LossInput,
  copies: readonly Move[],
): Promise<Float32Array[]> {
  const { shape, data } = values[input] as LossArray;
  const results: Float32Array[] = [];
  for (const { i, h } of copies) {
    const moved = Float32Array.from(data);
    moved[i] = (moved[i] as number) + h;
    results.push(await frozenValues(loss, values, { ...values, [input]: { shape, data: moved } }));
  }
  return results;
}

/** Values at `moved`, with all that passes `stopGradient` as it is at `original`. */
async function frozenValues(
  { definition, config }: CheckedLoss,
  original: LossCase,
  moved: LossCase,
  rowOrder?: readonly number[],
): Promise<Float32Array> {
  const rows = rowsOf(original);
  const stopped = recordStopped(() => {
    tf.tidy(() => void definition.evaluate(tensorsOf(original), config));
  });
  const result = tf.tidy(() => {
    const order = rowOrder && tf.tensor1d([...rowOrder], "int32");
    const given = stopped.map((t) => (order && t.shape[0] === rows ? t.gather(order) : t));
    return replayStopped(given, () => definition.evaluate(tensorsOf(moved), config));
  });
  disposeAll(stopped);
  return readValues(result, "float32");
}
