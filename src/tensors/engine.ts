import * as tf from "@tensorflow/tfjs-core";
// The backend that works everywhere, gradients and chained methods: tfjs-core alone has none of them.
import "@tensorflow/tfjs-backend-cpu";
import "#tfjs-registrations";
import type {} from "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";

/** Runs a kernel of the current backend by name, recording it on the gradient tape if one is open. */
export function runKernel(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: object,
): tf.Tensor[] {
  const result = tf
    .engine()
    .runKernel(
      name,
      inputs,
      attributes as Parameters<ReturnType<typeof tf.engine>["runKernel"]>[2],
    );
  return (Array.isArray(result) ? result : [result]) as tf.Tensor[];
}

/** Whether what is computed now is recorded for a gradient. */
export function isRecording(): boolean {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}

/**
 * Says of the kernel that was just run and recorded that nothing flows through its outputs but the
 * first. In the backward pass tfjs would make an array of zeros for each of the others.
 */
export function onlyFirstOutputHasGradient(kernelName: string): void {
  if (!isRecording()) return;
  const node = tf.engine().state.activeTape?.at(-1);
  if (node?.kernelName === kernelName) node.outputs = node.outputs.slice(0, 1);
}

/**
 * Value and gradients of a scalar function with respect to the given variables, in their order.
 * Unlike `tf.variableGrads`, a variable that the function does not reach is an error that names it.
 */
export function variableGradients(
  f: () => tf.Scalar,
  variables: readonly tf.Variable[],
): { value: tf.Scalar; gradients: tf.Tensor[] } {
  const { value, gradients } = reachedGradients(f, variables);
  const missing = variables.filter((_, i) => gradients[i] === undefined).map((v) => v.name);
  if (missing.length > 0) {
    throw new Error(`The loss does not depend on ${missing.join(", ")}: no gradient.`);
  }
  return { value, gradients: gradients as tf.Tensor[] };
}

/** The same, with undefined for a variable that the function does not reach. */
export function reachedGradients(
  f: () => tf.Scalar,
  variables: readonly tf.Variable[],
): { value: tf.Scalar; gradients: (tf.Tensor | undefined)[] } {
  const { value, grads } = tf.engine().gradients(f, [...variables], undefined, true);
  return { value: value as tf.Scalar, gradients: grads.map((gradient) => gradient ?? undefined) };
}
