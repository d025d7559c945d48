/** The engine's elementary functions against float64, to 2e-7 of the value. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useCpu } from "../../setup/backends/backend.js";
import { executors, useWasmEngine } from "../../setup/backends/wasm-engine.js";

/** Series and continued fraction; good to 1e-15. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 80; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = a;
  for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)));
}

function grid(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}

const small = Float32Array.from({ length: 400 }, (_, i) => (i % 2 ? -1 : 1) * 2 ** (-i / 4));
const functions = [
  { name: "exp", f: tf.exp, exact: Math.exp, inputs: [grid(-87, 88, 20000), small] },
  {
    name: "log",
    f: tf.log,
    exact: Math.log,
    inputs: [
      grid(1e-3, 3, 20000),
      Float32Array.from({ length: 500 }, (_, i) => 2 ** (i / 2 - 125)),
    ],
  },
  { name: "tanh", f: tf.tanh, exact: Math.tanh, inputs: [grid(-12, 12, 20000), small] },
  {
    name: "sigmoid",
    f: tf.sigmoid,
    exact: (x: number) => 1 / (1 + Math.exp(-x)),
    inputs: [grid(-80, 80, 20000), small],
  },
  { name: "erf", f: tf.erf, exact: erf, inputs: [grid(-6, 6, 20000), small] },
] as const;

describe.each(executors)("elementary functions, $name", ({ options }) => {
  beforeAll(async () => {
    await useWasmEngine(options);
  });
  afterAll(useCpu);

  test.each(functions)("$name is within 2e-7 of the value", async ({ f, exact, inputs }) => {
    for (const values of inputs) {
      const result = tf.tidy(() => f(tf.tensor1d(values)));
      const read = await result.data();
      result.dispose();
      let worst = 0;
      let at = 0;
      for (const [i, x] of values.entries()) {
        const expected = exact(x);
        // Below the normal range a relative bound means nothing.
        const error =
          Math.abs((read[i] as number) - expected) / Math.max(Math.abs(expected), 1e-37);
        if (!(error <= worst)) [worst, at] = [error, x];
      }
      expect(worst, `at ${at}`).toBeLessThanOrEqual(2e-7);
    }
  });

  test("the ends: infinities, zero, NaN, overflow", async () => {
    const inputs = tf.tensor1d([Infinity, -Infinity, 0, NaN, 89, -110, -1]);
    const results = {
      exp: inputs.exp(),
      log: inputs.log(),
      tanh: inputs.tanh(),
      erf: inputs.erf(),
    };
    const read = async (t: tf.Tensor) => Array.from(await t.data());
    expect(await read(results.exp)).toEqual([
      ...[Infinity, 0, 1, NaN, Infinity, 0],
      expect.closeTo(Math.exp(-1), 6),
    ]);
    expect(await read(results.log)).toEqual([
      ...[Infinity, NaN, -Infinity, NaN],
      ...[expect.closeTo(Math.log(89), 5), NaN, NaN],
    ]);
    const bounded = [1, -1, 0, NaN, 1, -1];
    expect((await read(results.tanh)).slice(0, 6)).toEqual(bounded);
    expect((await read(results.erf)).slice(0, 6)).toEqual(bounded);
    tf.dispose([inputs, results]);
  });
});
