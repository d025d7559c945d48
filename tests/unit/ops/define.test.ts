import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { defineKernel, defineOp, opBackends, registerOpKernel } from "../../../src/ops/index.js";

type Inputs = { x: tf.Tensor; weight: tf.Tensor; bias?: tf.Tensor };

/** Which gradients were computed, in order. */
const computed: string[] = [];
afterEach(() => {
  computed.length = 0;
});

/** `x · weight · factor + bias`, saving `x · factor`, which the gradient of the weight reads. */
const scaled = defineOp<Inputs, { factor: number }>({
  name: "PupilTestScaled",
  reference: ({ x, weight, bias }, { factor }) => {
    const product = x.mul(weight).mul(factor);
    return bias === undefined ? product : product.add(bias);
  },
  forward: ({ x, weight, bias }, { factor }) => {
    const scaledX = x.mul(factor);
    const product = scaledX.mul(weight);
    return [bias === undefined ? product : product.add(bias), scaledX];
  },
  gradients: (dy, { inputs, extras: [scaledX] }, { factor }) => ({
    x: () => {
      computed.push("x");
      return dy.mul(inputs.weight).mul(factor);
    },
    weight: () => {
      computed.push("weight");
      return dy.mul(scaledX as tf.Tensor);
    },
    bias: () => {
      computed.push("bias");
      // Uses the saved bias, so that a mix-up of inputs would show.
      return dy.mul(tf.onesLike(inputs.bias as tf.Tensor));
    },
  }),
});

const backendTensors = () => ({
  tensors: tf.memory().numTensors,
  buffers: tf.memory().numDataBuffers,
});

test("gradients flow through inputs, saved extras and attributes", () => {
  const values = tf.tidy(() => {
    const [x, weight, bias] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7]), tf.tensor1d([1, 1])];
    const gradients = tf.grads((a, b, c) =>
      scaled({ x: a as tf.Tensor, weight: b as tf.Tensor, bias: c as tf.Tensor }, { factor: 10 }),
    )([x, weight, bias]);
    return gradients.map((g) => [...g.dataSync()]);
  });
  expect(values).toEqual([
    [50, 70],
    [20, 30],
    [1, 1],
  ]);
});

test("an optional input may be absent, also when calls with and without it alternate on one tape", () => {
  const gradient = tf.tidy(() => {
    const [x, weight] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7])];
    return tf
      .grad((w: tf.Tensor) => {
        const first = scaled({ x, weight: w, bias: x }, { factor: 1 });
        const second = scaled({ x: first, weight: w }, { factor: 2 });
        return scaled({ x: second, weight: tf.onesLike(w), bias: w }, { factor: 1 });
      })(weight)
      .dataSync()
      .slice();
  });
  // d/dw of 2w(xw + x) + w = 4xw + 2x + 1
  expect([...gradient]).toEqual([4 * 2 * 5 + 4 + 1, 4 * 3 * 7 + 6 + 1]);
});

test("only the gradients that are asked for are computed", () => {
  tf.tidy(() => {
    const [x, weight, bias] = [tf.tensor1d([2]), tf.tensor1d([5]), tf.tensor1d([1])];
    tf.grad((w: tf.Tensor) => scaled({ x, weight: w, bias }, { factor: 1 }))(weight);
  });
  expect(computed).toEqual(["weight"]);
});

test("outside a scope a call makes one tensor, with a tape or without", () => {
  const [x, weight] = [tf.tensor1d([2]), tf.tensor1d([5])];
  const before = backendTensors();
  const value = scaled({ x, weight }, { factor: 3 });
  expect(backendTensors()).toEqual({ tensors: before.tensors + 1, buffers: before.buffers + 1 });
  value.dispose();
  const gradients = tf.grads((a, b) =>
    scaled({ x: a as tf.Tensor, weight: b as tf.Tensor }, { factor: 3 }),
  )([x, weight]);
  expect(backendTensors()).toEqual({ tensors: before.tensors + 2, buffers: before.buffers + 2 });
  tf.dispose([gradients, x, weight]);
});

test("inside a scope everything but the result is freed, also if the value is not used", () => {
  const before = backendTensors();
  const [x, weight] = [tf.tensor1d([2]), tf.tensor1d([5])];
  const { value, grads } = tf.tidy(() =>
    tf.valueAndGrads((a, b) => {
      scaled({ x: a as tf.Tensor, weight: b as tf.Tensor }, { factor: 2 });
      return tf.tidy(() =>
        scaled({ x: a as tf.Tensor, weight: b as tf.Tensor }, { factor: 3 }).square(),
      );
    })([x, weight]),
  );
  tf.dispose([value, grads, x, weight]);
  expect(backendTensors()).toEqual(before);
});

test("the gradient gets dy alone: for more outputs tfjs would make arrays of zeros", () => {
  const registered = tf.getGradient("PupilTestScaled") as tf.GradConfig;
  const received: boolean[] = [];
  const gradFunc: tf.GradFunc = (dy, saved, attributes) => {
    received.push(Array.isArray(dy));
    return registered.gradFunc(dy, saved, attributes);
  };
  const watched = {
    ...Object.getOwnPropertyDescriptors(registered),
    gradFunc: { value: gradFunc },
  };
  tf.unregisterGradient("PupilTestScaled");
  tf.registerGradient(Object.defineProperties({}, watched) as tf.GradConfig);
  tf.tidy(() => {
    const [x, weight] = [tf.tensor1d([2, 3]), tf.tensor1d([5, 7])];
    tf.grad((w: tf.Tensor) => scaled({ x, weight: w }, { factor: 10 }))(weight);
  });
  tf.unregisterGradient("PupilTestScaled");
  tf.registerGradient(registered);
  expect(received).toEqual([false]);
});

test("a kernel that throws frees what it made", () => {
  const failing = defineKernel<{ x: tf.Tensor }, object>("PupilTestFailing", ({ x }) => {
    x.mul(2);
    throw new Error("broken kernel");
  });
  const x = tf.tensor1d([1]);
  const before = backendTensors();
  expect(() => failing({ x }, {})).toThrow("broken kernel");
  expect(backendTensors()).toEqual(before);
  x.dispose();
});

test("a backend's own kernel takes the place of the composed one, and may save other extras", () => {
  const doubled = defineOp<{ x: tf.Tensor }, object>({
    name: "PupilTestDoubled",
    reference: ({ x }) => x.mul(2),
    forward: ({ x }) => [x.mul(2)],
    gradients: (dy, { extras }) => ({ x: () => (extras[0] ?? tf.onesLike(dy)).mul(dy) }),
  });
  expect(opBackends.every((name) => tf.getKernel("PupilTestDoubled", name))).toBe(true);
  registerOpKernel<{ x: tf.Tensor }, object>("PupilTestDoubled", "cpu", ({ x }) => [
    x.mul(20),
    tf.fill(x.shape, 7),
  ]);
  const [value, gradient] = tf.tidy(() => {
    const x = tf.tensor1d([1, 2]);
    const both = tf.valueAndGrad((a: tf.Tensor) => doubled({ x: a }, {}).sum())(x);
    return [both.value.dataSync()[0], [...both.grad.dataSync()]];
  });
  expect(value).toBe(60);
  expect(gradient).toEqual([7, 7]);
});
