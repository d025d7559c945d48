import * as tf from "@tensorflow/tfjs-core";
import { disposeAll, onlyFirstOutputHasGradient, runKernel } from "../tensors/index.js";

/** Every backend a composed kernel is registered for; a backend's own kernel replaces its entry. */
export const opBackends = ["cpu", "wasm", "webgpu", "tensorflow", "webgl"] as const;

type Inputs = Record<string, tf.Tensor>;

/** What a kernel is: inputs and attributes to outputs, inside one memory scope. */
export type KernelFunction<I extends Inputs, A extends object> = (
  inputs: I,
  attributes: A,
) => tf.Tensor[];

export interface OpDefinition<I extends Inputs, A extends object> {
  /** Kernel name in tfjs's registry, with the prefix `Pupil`. */
  readonly name: string;
  /**
   * The value written with plain, differentiable tfjs ops. It is the truth that every kernel and
   * every analytic gradient is held to by the conformance test; nothing else calls it.
   */
  reference(inputs: I, attributes: A): tf.Tensor;
  /**
   * `[value, ...extras]`: the default kernel. Extras (at most {@link maxExtras}) are what its
   * backward kernels want to see again; a backend that replaces both sides may save other ones.
   */
  forward(inputs: I, attributes: A): tf.Tensor[];
  /**
   * Analytic gradients, one function per input, called only for inputs that need one. Work shared
   * by several inputs is done in the body, in a kernel, so that its intermediates are freed. A
   * gradient must be a new tensor, never `dy` itself: tfjs disposes gradients when it adds them up.
   */
  gradients(
    dy: tf.Tensor,
    saved: { inputs: I; extras: tf.Tensor[] },
    attributes: A,
  ): { [K in keyof I]: () => tf.Tensor };
}

/** An op: a function of tensors, with the definition it was made from. */
export interface Op<I extends Inputs, A extends object> {
  (inputs: I, attributes: A): tf.Tensor;
  /** `[value, ...extras]`, all the caller's; no gradient flows through an extra. */
  withExtras(inputs: I, attributes: A): tf.Tensor[];
  readonly definition: OpDefinition<I, A>;
}

const maxExtras = 8;

/**
 * Makes a named kernel without a gradient (the backward half of an op, an optimizer update) that a
 * backend can replace with {@link registerOpKernel}. Returns the function that runs it.
 */
export function defineKernel<I extends Inputs, A extends object>(
  name: string,
  compute: KernelFunction<I, A>,
): KernelFunction<I, A> {
  for (const backendName of opBackends) registerComposed(name, backendName, compute);
  return (inputs, attributes) => runKernel(name, inputs, attributes);
}

/** Registers an op's composed kernel on every backend and its gradient with tfjs's autodiff. */
export function defineOp<I extends Inputs, A extends object>(
  definition: OpDefinition<I, A>,
): Op<I, A> {
  const { name } = definition;
  const run = defineKernel<I, A & { inputNames: string[] }>(name, (inputs, attributes) =>
    definition.forward(inputs, attributes),
  );
  // Optional inputs (a bias) make the list differ from call to call. tfjs reads it while it records
  // the call; the gradient gets the same list back through the attributes.
  let inputNames: string[] = [];
  const gradientConfig: Omit<tf.GradConfig, "inputsToSave"> & { inputsToSave: string[] } = {
    kernelName: name,
    get inputsToSave() {
      return inputNames;
    },
    // Extras are kept, the value is not: no gradient here reads it, and it is often the largest.
    outputsToSave: [false, ...Array.from({ length: maxExtras }, () => true)],
    gradFunc: (dy, saved, attrs) => {
      const attributes = attrs as unknown as A & { inputNames: string[] };
      const count = attributes.inputNames.length;
      const inputs = Object.fromEntries(attributes.inputNames.map((key, i) => [key, saved[i]]));
      const first = Array.isArray(dy) ? (dy[0] as tf.Tensor) : dy;
      const extras = saved.slice(count);
      return definition.gradients(first, { inputs: inputs as I, extras }, attributes);
    },
  };
  tf.registerGradient(gradientConfig);
  const withExtras = (inputs: I, attributes: A): tf.Tensor[] => {
    inputNames = Object.keys(inputs);
    const outputs = run(inputs, { ...attributes, inputNames });
    onlyFirstOutputHasGradient(name);
    return outputs;
  };
  const op = (inputs: I, attributes: A): tf.Tensor => {
    const [value, ...extras] = withExtras(inputs, attributes);
    // The tape, if one is open, holds references of its own.
    disposeAll(extras);
    return value as tf.Tensor;
  };
  return Object.assign(op, { withExtras, definition });
}

/** Replaces one backend's kernel of an op: `compute` gets and returns real tensors. */
export function registerOpKernel<I extends Inputs, A extends object>(
  name: string,
  backendName: string,
  compute: KernelFunction<I, A>,
): void {
  if (tf.getKernel(name, backendName)) tf.unregisterKernel(name, backendName);
  registerComposed(name, backendName, compute);
}

function registerComposed<I extends Inputs, A extends object>(
  kernelName: string,
  backendName: string,
  compute: KernelFunction<I, A>,
): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs }) =>
      tf.tidy(() => compute(inputs as unknown as I, attrs as unknown as A)),
  });
}
