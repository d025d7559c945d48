/**
 * Every op against an independent float64 implementation (value), against its composed tfjs
 * reference (value, and gradient by tfjs's own differentiation), and its gradient against central
 * differences in float64.
 */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useCpu } from "../../setup/backends/backend.js";
import { countReads, type Reader } from "../../setup/backends/count-reads.js";
import { attentionCases } from "./cases/attention.js";
import { distributionCases } from "./cases/distributions.js";
import { hiddenCases } from "./cases/hidden.js";
import { layerCases } from "./cases/layers.js";
import { normals, type OpCase } from "./cases/op-case.js";
import { reductionCases } from "./cases/reductions.js";
import { residualCases } from "./cases/residual.js";
import { expectClose } from "./closeness.js";
import { centralDifferences } from "./reference/differences.js";

export const opCases: readonly OpCase[] = [
  ...layerCases,
  ...attentionCases,
  ...residualCases,
  ...distributionCases,
  ...hiddenCases,
  ...reductionCases,
];
const relative = 2e-5;

function tensorsOf({ inputs, int32 = [] }: OpCase): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => {
      const isInteger = int32.includes(name);
      const values = isInteger ? Int32Array.from(data) : Float32Array.from(data);
      return [name, tf.tensor(values, [...shape], isInteger ? "int32" : "float32")];
    }),
  );
}

/** Gradients of `Σ cotangent · f` for the named inputs. */
function gradientsOf(
  f: OpCase["run"],
  tensors: Record<string, tf.Tensor>,
  names: readonly string[],
  cotangent: tf.Tensor,
): tf.Tensor[] {
  if (names.length === 0) return [];
  const differentiate = tf.grads((...given: tf.Tensor[]) => {
    const replaced = Object.fromEntries(names.map((name, i) => [name, given[i] as tf.Tensor]));
    return f({ ...tensors, ...replaced })
      .mul(cotangent)
      .sum();
  });
  return differentiate(names.map((name) => tensors[name] as tf.Tensor));
}

/** How near a backend must come. */
export interface Looseness {
  /**
   * What the bounds of the composed reference are multiplied by: that of a GPU is made of functions that WebGPU
   * allows to be off by several units in the last place. Default: 1.
   */
  readonly composed?: number;
  /**
   * What the bounds are relative to where every entry is smaller. Larger for a backend whose softmax of one number
   * is not exactly 1, so that gradients that vanish are of the size of rounding. Default: 1e-3.
   */
  readonly least?: number;
  /** Whether an op and its gradient may give nothing to JavaScript. Default: false. */
  readonly staysOnDevice?: boolean;
  /** Ops that are left out. Default: none. */
  readonly without?: readonly string[];
}

/** Defines the tests of every op on one backend. */
export function describeOpsOn(
  name: string,
  start: () => Promise<unknown>,
  looseness: Looseness = {},
): void {
  describe(`on ${name}`, () => {
    beforeAll(async () => {
      await start();
    });
    afterAll(useCpu);
    defineOpTests(looseness);
  });
}

function defineOpTests({
  composed: composedFactor = 1,
  least = 1e-3,
  staysOnDevice = false,
  without = [],
}: Looseness): void {
  /** What `compute` gives, which reads nothing where nothing may be read. */
  const unread = <T>(compute: () => T): T => {
    if (!staysOnDevice) return compute();
    const counts = countReads(tf.backend() as unknown as Reader);
    try {
      return compute();
    } finally {
      counts.stop();
      expect(counts.all, "tensors read to JavaScript").toBe(0);
    }
  };

  /** The largest entry: what the bounds are relative to. */
  const sizeOfLargest = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((largest, v) => Math.max(largest, Math.abs(v)), least);

  const cases = opCases.filter(({ op }) => !without.includes(op));
  describe.each(cases.map((c) => ({ ...c, name: `${c.op}: ${c.title}` })))("$name", (opCase) => {
    test("value as in float64 and as composed, in one new tensor", async () => {
      const tensors = tensorsOf(opCase);
      const before = tf.memory();
      const value = unread(() => opCase.run(tensors));
      const after = tf.memory();
      expect(after.numTensors - before.numTensors, "tensors made").toBe(1);
      expect(after.numDataBuffers - before.numDataBuffers, "buffers made").toBe(1);
      const composed = tf.tidy(() => opCase.composed(tensors));

      const expected = opCase.expected(opCase.inputs);
      expect(value.shape).toEqual(expected.shape);
      const absolute = relative * sizeOfLargest(expected.data);
      expectClose(await value.data(), expected.data, { absolute, relative }, "value");
      const coarser = {
        absolute: composedFactor * (opCase.composedAbsolute ?? absolute),
        relative: composedFactor * relative,
      };
      expectClose(await composed.data(), expected.data, coarser, "composed value");
      tf.dispose([value, composed, tensors]);
    });

    test("gradient as by central differences, and none for constants", async () => {
      const tensors = tensorsOf(opCase);
      const { differentiable } = opCase;
      const cotangent = normals(opCase.expected(opCase.inputs).shape, "cotangent");
      const dy = tf.tensor(Float32Array.from(cotangent.data), [...cotangent.shape]);
      const gradients = unread(() => gradientsOf(opCase.run, tensors, differentiable, dy));
      const composed = gradientsOf(opCase.composed, tensors, differentiable, dy);
      for (const [i, name] of differentiable.entries()) {
        const differences = centralDifferences(opCase.expected, opCase.inputs, name, cotangent);
        const absolute = 5e-5 * sizeOfLargest(differences.data);
        const bounds = { absolute, relative: 5e-5 };
        const gradient = (await gradients[i]?.data()) as Float32Array;
        expectClose(gradient, differences.data, bounds, `gradient of ${name}`);
        const reference = (await composed[i]?.data()) as Float32Array;
        const coarser = {
          absolute: composedFactor * bounds.absolute,
          relative: composedFactor * bounds.relative,
        };
        expectClose(reference, differences.data, coarser, `reference, ${name}`);
      }
      const constants = gradientsOf(opCase.run, tensors, opCase.constants ?? [], dy);
      for (const gradient of constants) {
        expect((await gradient.data()).every((v) => v === 0)).toBe(true);
      }
      tf.dispose([gradients, composed, constants, tensors, dy]);
    });
  });
}
