import type * as tf from "@tensorflow/tfjs-core";
import { broadcastPlan, broadcastShape } from "./broadcast.js";
import { registerWasmKernel, sizeOf } from "../registry.js";

type Comparison = (a: number, b: number) => boolean;

const comparisons: Record<string, Comparison> = {
  Equal: (a, b) => a === b,
  NotEqual: (a, b) => a !== b,
  Greater: (a, b) => a > b,
  GreaterEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessEqual: (a, b) => a <= b,
};

/**
 * Comparisons give bool tensors, which stay JavaScript arrays (nothing in training reads them in a
 * kernel). What makes tfjs's own slow is its index arithmetic for every element.
 */
export function registerComparisons(): void {
  for (const [name, compare] of Object.entries(comparisons)) {
    registerWasmKernel<{ a: tf.TensorInfo; b: tf.TensorInfo }>(name, ({ a, b }, _, backend) => {
      const numeric = [a, b].every(({ dtype }) => dtype === "float32" || dtype === "int32");
      if (!numeric) return undefined;
      const shape = broadcastShape(a.shape, b.shape);
      const plan = broadcastPlan(a.shape, b.shape, shape);
      if (plan === undefined) return undefined;
      const [outer, inner, n] = plan.sizes;
      const [a0, a1, a2, b0, b1, b2] = plan.strides;
      const left = backend.valuesOf(a);
      const right = backend.valuesOf(b);
      const out = new Uint8Array(sizeOf(shape));
      let at = 0;
      for (let i = 0; i < outer; i++) {
        for (let j = 0; j < inner; j++) {
          const startA = i * a0 + j * a1;
          const startB = i * b0 + j * b1;
          for (let k = 0; k < n; k++) {
            const isTrue = compare(
              left[startA + k * a2] as number,
              right[startB + k * b2] as number,
            );
            out[at++] = isTrue ? 1 : 0;
          }
        }
      }
      return backend.makeTensorInfo(shape, "bool", out);
    });
  }
}
