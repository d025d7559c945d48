/** What runs as machine code, and how precise its exp and log are. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nativeKernels } from "../../../src/node/native-kernels.js";
import { webAssembly } from "../../../src/ops/kernels/wasm/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { executors, useWasmEngine } from "../../setup/backends/wasm-engine.js";

const native = executors.filter(({ options }) => options.executor !== undefined);

/** The engine's own, which are no kernels: they set up memory and threads of WebAssembly. */
const withoutTwin = ["heapStart", "memory", "scratchBytes", "setUp", "work"];

test.skipIf(native.length === 0)("every kernel has a native twin", async () => {
  const { engine } = await useWasmEngine({ build: "relaxed" });
  const inWebAssembly = Object.keys(engine.kernels);
  await useCpu();
  for (const { options } of native) {
    const found = nativeKernels(options.executor);
    if (!("attach" in found)) throw new Error(found.reason);
    const memory = new webAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const twins = found.attach(new Uint8Array(memory.buffer), 1, 65536);
    expect([...Object.keys(twins), ...withoutTwin].sort()).toEqual(
      [...new Set([...inWebAssembly, ...withoutTwin])].sort(),
    );
    twins.stopWorkers?.();
  }
});

/** Distance to the exact value in units of the last place of float32. */
function unitsOff(found: number, exact: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))));
  return Math.abs(found - exact) / 2 ** (exponent - 23);
}

describe.skipIf(native.length === 0).each(native)("$name", ({ options }) => {
  beforeAll(async () => {
    const { engine } = await useWasmEngine(options);
    expect(engine.executor).toBe(options.executor);
  });
  afterAll(useCpu);

  const read = (f: (x: tf.Tensor) => tf.Tensor, values: Float32Array) => {
    const result = tf.tidy(() => f(tf.tensor1d(values)));
    const numbers = result.dataSync();
    result.dispose();
    return numbers;
  };

  test("exp and log are within two units in the last place", () => {
    const ofExp = Float32Array.from({ length: 50_001 }, (_, i) => -87 + (175 * i) / 50_000);
    const ofLog = Float32Array.from({ length: 50_001 }, (_, i) => 2 ** (-130 + (250 * i) / 50_000));
    for (const [f, exact, values] of [
      [tf.exp, Math.exp, ofExp],
      [tf.log, Math.log, ofLog],
    ] as const) {
      const found = read(f, values);
      let worst = 0;
      for (const [i, x] of values.entries()) {
        worst = Math.max(worst, unitsOff(found[i] as number, exact(x)));
      }
      expect(worst).toBeLessThan(2);
    }
  });

  test("infinities and NaN", () => {
    const special = Float32Array.of(-Infinity, Infinity, Number.NaN, 0);
    expect([...read(tf.exp, special)]).toEqual([0, Infinity, Number.NaN, 1]);
    expect([...read(tf.log, special)]).toEqual([Number.NaN, Infinity, Number.NaN, -Infinity]);
    const softmax = [
      ...read((x) => tf.softmax(x.reshape([2, 2])), Float32Array.of(-Infinity, 3, NaN, 1)),
    ];
    expect(softmax).toEqual([0, 1, NaN, NaN]);
  });
});
