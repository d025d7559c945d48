import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AdamW, type AdamWState, adamwSchema } from "../../../src/optim/index.js";
import { createVariable } from "../../../src/tensors/index.js";

const shapes = { matrix: [2, 1], vector: [2], scalar: [], kernel: [1, 2, 1] } as const;
type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];

let parameters: Map<string, tf.Variable>;

beforeEach(() => {
  parameters = new Map(names.map((name) => [name, createVariable(tf.ones([...shapes[name]]))]));
});
afterEach(() => {
  for (const parameter of parameters.values()) parameter.dispose();
});

/** One update with gradients of this value for these parameters. */
function update(optimizer: AdamW, value: number, of: readonly string[] = names, scale = 1): void {
  tf.tidy(() => {
    const gradients = of.map(
      (name) => [name, tf.fill(parameters.get(name)?.shape ?? [], value)] as const,
    );
    optimizer.apply(new Map(gradients), 0.1, tf.scalar(scale));
  });
}

const values = (name: string): number[] => [...(parameters.get(name)?.dataSync() ?? [])];

test("defaults", () => {
  expect(adamwSchema.parse({})).toEqual({
    ...{ beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 },
  });
});

test.each(["beta1", "beta2"])("%s is from 0 to below 1", (name) => {
  for (const value of [0, 0.999]) expect(adamwSchema.parse({ [name]: value })).toBeDefined();
  for (const value of [-0.01, 1]) expect(() => adamwSchema.parse({ [name]: value })).toThrow();
});

test("weight decay of matrices, kernels included, and of nothing else", () => {
  using optimizer = new AdamW(parameters, { weightDecay: 0.5 });
  update(optimizer, 0);
  // Without a gradient the decay is all that moves: 1 − learning rate · decay.
  for (const name of ["matrix", "kernel"]) {
    for (const value of values(name)) expect(value, name).toBeCloseTo(1 - 0.1 * 0.5, 6);
  }
  for (const name of ["vector", "scalar"]) {
    for (const value of values(name)) expect(value, name).toBe(1);
  }
});

test("the bias correction counts this optimizer's updates, so equal gradients move equally", () => {
  using optimizer = new AdamW(parameters);
  expect(optimizer.updates).toBe(0);
  for (let step = 1; step <= 4; step++) {
    update(optimizer, 3);
    expect(optimizer.updates).toBe(step);
    expect(values("matrix")[0]).toBeCloseTo(1 - 0.1 * step, 5);
  }
});

test("gradients are scaled before they count, and a parameter without one stays", async () => {
  using optimizer = new AdamW(parameters);
  update(optimizer, 3, ["vector"], 0.5);
  expect(values("vector")[0]).toBeCloseTo(0.9, 5);
  expect(values("matrix")).toEqual([1, 1]);
  const { moments } = await optimizer.state();
  expect(moments.get("vector.firstMoment")?.data[0]).toBeCloseTo(0.1 * 1.5, 6);
  expect(moments.get("vector.secondMoment")?.data[0]).toBeCloseTo(0.01 * 1.5 ** 2, 6);
  expect([...(moments.get("matrix.firstMoment")?.data ?? [])]).toEqual([0, 0]);
});

test("frozen parameters have no moments and take no gradient", async () => {
  const matrix = parameters.get("matrix") as tf.Variable;
  matrix.trainable = false;
  using optimizer = new AdamW(parameters);
  const { moments } = await optimizer.state();
  expect([...moments.keys()].some((key) => key.startsWith("matrix"))).toBe(false);
  expect(() => update(optimizer, 1, ["matrix"])).toThrow(/no trainable parameter called matrix/);
  expect(() => update(optimizer, 1, ["other"])).toThrow(/no trainable parameter called other/);
});

describe("a saved state", () => {
  async function trained(): Promise<AdamWState> {
    using optimizer = new AdamW(parameters, { weightDecay: 0.1 });
    for (const value of [1, -2, 0.5]) update(optimizer, value);
    return await optimizer.state();
  }

  test("restored, goes on as if there had been no stop", async () => {
    using whole = new AdamW(parameters, { weightDecay: 0.1 });
    for (const value of [1, -2, 0.5, 0.7, 0.7]) update(whole, value);
    const expected = names.map(values);
    const expectedState = await whole.state();

    for (const name of names) {
      tf.tidy(() => parameters.get(name)?.assign(tf.ones([...shapes[name]])));
    }
    const state = await trained();
    expect(state.updates).toBe(3);
    using resumed = new AdamW(parameters, { weightDecay: 0.1 });
    resumed.restore(state);
    expect(resumed.updates).toBe(3);
    for (const value of [0.7, 0.7]) update(resumed, value);
    expect(names.map(values)).toEqual(expected);
    expect(await resumed.state()).toEqual(expectedState);
  });

  test("is a copy: later updates do not change it", async () => {
    using optimizer = new AdamW(parameters);
    update(optimizer, 1);
    const state = await optimizer.state();
    const before = [...(state.moments.get("vector.firstMoment")?.data ?? [])];
    update(optimizer, 5);
    expect([...(state.moments.get("vector.firstMoment")?.data ?? [])]).toEqual(before);
  });

  test.each(["firstMoment", "secondMoment"])(
    "without a %s, or with one of another shape, is refused",
    async (moment) => {
      const state = await trained();
      const key = `vector.${moment}`;
      const moments = new Map(state.moments);
      moments.delete(key);
      using optimizer = new AdamW(parameters);
      expect(() => optimizer.restore({ ...state, moments })).toThrow(`${key} is missing`);
      moments.set(key, { shape: [2, 1], data: new Float32Array(2) });
      expect(() => optimizer.restore({ ...state, moments })).toThrow(
        `${key} has the shape [2, 1]; expected [2]`,
      );
    },
  );
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])("a state of %d updates is refused", async (updates) => {
  using optimizer = new AdamW(parameters);
  update(optimizer, 1);
  const state = await optimizer.state();
  expect(() => optimizer.restore({ ...state, updates }, "o.safetensors")).toThrow(
    `o.safetensors: ${updates} is no number of updates. Resume from a checkpoint`,
  );
  expect(optimizer.updates).toBe(1);
  optimizer.restore({ ...state, updates: 0 });
  expect(optimizer.updates).toBe(0);
});

test("parameters that are no map are refused by name", () => {
  for (const none of [undefined, {}, "parameters"]) {
    expect(() => new AdamW(none as never)).toThrow(
      /^AdamW: parameters: .*Give it a map of parameters by name: student\.parameters/,
    );
  }
});
