import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adamwUpdate, globalNorm } from "../../../src/ops/index.js";
import { createVariable, Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { engineVariants, useWasmEngine } from "../../setup/backends/wasm-engine.js";

const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };

/** The loop of torch.optim.AdamW (single tensor), in float64. */
function reference(
  start: readonly number[],
  gradients: readonly number[][],
  scale: number,
  weightDecay: number,
) {
  const { learningRate, beta1, beta2, epsilon } = settings;
  const p = [...start];
  const m = p.map(() => 0);
  const v = p.map(() => 0);
  for (const [i, gradient] of gradients.entries()) {
    const step = i + 1;
    for (const [j, raw] of gradient.entries()) {
      const g = raw * scale;
      p[j]! *= 1 - learningRate * weightDecay;
      m[j]! += (g - m[j]!) * (1 - beta1);
      v[j] = v[j]! * beta2 + (1 - beta2) * g * g;
      const denominator = Math.sqrt(v[j]!) / Math.sqrt(1 - beta2 ** step) + epsilon;
      p[j]! -= (learningRate / (1 - beta1 ** step)) * (m[j]! / denominator);
    }
  }
  return { p, m, v };
}

const sizes = [7, 1, 0, 4096, 10_001];
const draw = (name: string, size: number) => {
  const stream = new Random(3).stream(name, size);
  return Array.from({ length: size }, () => stream.normal());
};

function variables(start: readonly number[]) {
  const of = (values: readonly number[]) => createVariable(tf.tensor1d([...values]), false);
  const zeros = start.map(() => 0);
  return { parameter: of(start), firstMoment: of(zeros), secondMoment: of(zeros) };
}

/** Index of the worst entry and how far it is off, relative to 1 + |expected|. */
function worst(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce(
    (most, e, i) => Math.max(most, Math.abs((actual[i] as number) - e) / (1 + Math.abs(e))),
    0,
  );
}

describe.each([
  { title: "cpu", start: useCpu as () => Promise<unknown> },
  ...engineVariants.map(({ name, options }) => ({
    title: `the engine, ${name}`,
    start: () => useWasmEngine(options),
  })),
])("on $title", ({ start }) => {
  beforeAll(async () => {
    await start();
  });
  afterAll(useCpu);

  test("six steps of several parameters as in float64, with a gradient scale and decay", async () => {
    const states = sizes.map((size) => variables(draw("start", size)));
    const gradientScale = tf.scalar(0.25);
    const gradients = Array.from({ length: 6 }, (_, i) =>
      sizes.map((size) => draw(`gradient ${i}`, size)),
    );
    for (const [i, ofStep] of gradients.entries()) {
      const given = states.map((state, j) => {
        const gradient = tf.tensor1d(ofStep[j] as number[]);
        return { ...state, gradient, weightDecay: j === 0 ? 0 : settings.weightDecay };
      });
      const before = tf.memory().numTensors;
      adamwUpdate(given, gradientScale, { ...settings, step: i + 1 });
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose(given.map(({ gradient }) => gradient));
    }
    for (const [j, { parameter, firstMoment, secondMoment }] of states.entries()) {
      const ofParameter = gradients.map((ofStep) => ofStep[j] as number[]);
      const decay = j === 0 ? 0 : settings.weightDecay;
      const { p, m, v } = reference(draw("start", sizes[j] as number), ofParameter, 0.25, decay);
      expect(worst(await parameter.data(), p)).toBeLessThan(1e-6);
      expect(worst(await firstMoment.data(), m)).toBeLessThan(1e-6);
      expect(worst(await secondMoment.data(), v)).toBeLessThan(1e-6);
    }
    tf.dispose([states, gradientScale] as unknown as tf.Tensor[]);
  });

  test("a copy of a parameter keeps its values", async () => {
    const state = variables([1, 2, 3]);
    const copy = state.parameter.clone();
    const [gradient, scale] = [tf.tensor1d([1, 1, 1]), tf.scalar(1)];
    adamwUpdate([{ ...state, gradient, weightDecay: 0 }], scale, { ...settings, step: 1 });
    expect(Array.from(await copy.data())).toEqual([1, 2, 3]);
    const moved = await state.parameter.data();
    expect(moved[0]).toBeCloseTo(0.99, 5);
    tf.dispose([copy, gradient, scale, state] as unknown as tf.Tensor[]);
  });

  test("the first step moves by the learning rate; a zero gradient only decays", async () => {
    const state = variables([2, 2]);
    const [gradient, scale] = [tf.tensor1d([1e-3, 0]), tf.scalar(1)];
    adamwUpdate([{ ...state, gradient, weightDecay: 0.1 }], scale, { ...settings, step: 1 });
    const [moved, decayed] = await state.parameter.data();
    expect(moved).toBeCloseTo(2 * (1 - 0.001) - 0.01, 5);
    expect(decayed).toBeCloseTo(2 * (1 - 0.001), 6);
    tf.dispose([gradient, scale, state] as unknown as tf.Tensor[]);
  });
});

test("the engine updates in place", async () => {
  const { engine } = await useWasmEngine();
  const state = variables([1, 2, 3]);
  const [gradient, scale] = [tf.tensor1d([1, 1, 1]), tf.scalar(1)];
  const update = (step: number) => {
    adamwUpdate([{ ...state, gradient, weightDecay: 0 }], scale, { ...settings, step });
  };
  update(1);
  const { dataId } = state.parameter;
  const { bytesInUse } = engine.allocator;
  engine.allocator.peakBytes = bytesInUse;
  update(2);
  expect(state.parameter.dataId).toBe(dataId);
  // Nothing but the table of parameters.
  expect(engine.allocator.peakBytes).toBe(bytesInUse + 64);
  expect(engine.allocator.bytesInUse).toBe(bytesInUse);
  tf.dispose([gradient, scale, state] as unknown as tf.Tensor[]);
  await useCpu();
});

test("the global norm is that of all entries together, and tells of NaN", () => {
  const tensors = [tf.tensor2d([[3, 0]]), tf.tensor1d([0, 4, 12]), tf.scalar(84)];
  const broken = tf.tensor1d([Number.NaN]);
  const before = tf.memory().numTensors;
  const norm = globalNorm(tensors);
  expect(tf.memory().numTensors).toBe(before + 1);
  const nan = globalNorm([...tensors, broken]);
  const none = globalNorm([]);
  expect(norm.shape).toEqual([]);
  expect(norm.dataSync()[0]).toBeCloseTo(85, 5);
  expect(nan.dataSync()[0]).toBeNaN();
  expect(none.dataSync()[0]).toBe(0);
  tf.dispose([...tensors, broken, norm, nan, none]);
});
