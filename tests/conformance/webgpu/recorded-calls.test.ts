/** When a call is replayed, and when it is computed because what it reads is not what it was. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../src/backend/index.js";
import type { PooledBackend } from "../../../src/backend/webgpu/pooled-backend.js";
import { nodePlatform } from "../../../src/node/platform.js";
import { recorded } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/backends/webgpu.js";

const backend = () => tf.backend() as unknown as PooledBackend;

/** `x · weight · factor`, of which the call says that it reads what is in `given`. */
async function product(
  owner: object,
  x: number,
  weight: tf.Variable,
  { factor = 2, given = [weight] as tf.Tensor[] } = {},
): Promise<number> {
  const input = tf.tensor1d([x, x, x]);
  try {
    const { tensors } = recorded(
      () => ({ owner, name: "product", key: "", reads: [input, ...given] }),
      () => ({
        tensors: { y: tf.tidy(() => input.mul(weight).mul(tf.fill([3], factor))) },
        facts: undefined,
      }),
    );
    const y = tensors["y"] as tf.Tensor;
    const [value] = await y.data();
    y.dispose();
    return value as number;
  } finally {
    input.dispose();
  }
}

/** A weight that is on the device. */
function weightOf(value: number): tf.Variable {
  const initial = tf.tidy(() => tf.tensor1d([value, value, value]).add(tf.zeros([3])));
  const weight = tf.variable(initial);
  initial.dispose();
  return weight;
}

function assign(weight: tf.Variable, value: number): void {
  tf.tidy(() => weight.assign(tf.tensor1d([value, value, value]).add(tf.zeros([3]))));
}

describe.skipIf(!hasVulkan)(`calls recorded on ${onWebGpu}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  /** How many of the calls within `body` were replayed. */
  async function replaysIn(body: () => Promise<void>): Promise<number> {
    const { replayed } = backend().replayReport();
    await body();
    return backend().replayReport().replayed - replayed;
  }

  test("are replayed unless that is turned off", async () => {
    expect(backend().replays).toBe(true);
    const options = { platform: nodePlatform, allowSoftwareAdapter: true };
    await startBackend("webgpu", { ...options, replaySteps: false });
    const [owner, weight] = [{}, weightOf(3)];
    const replays = await replaysIn(async () => {
      for (let x = 1; x <= 4; x++) expect(await product(owner, x, weight)).toBe(6 * x);
    });
    expect(replays).toBe(0);
    weight.dispose();
    await startBackend("webgpu", { ...options, replaySteps: true });
    expect(backend().replays).toBe(true);
  });

  test("are replayed from the third time on, with what is given then", async () => {
    const [owner, weight] = [{}, weightOf(3)];
    const replays = await replaysIn(async () => {
      for (let x = 1; x <= 6; x++) expect(await product(owner, x, weight)).toBe(6 * x);
    });
    expect(replays).toBe(4);
    weight.dispose();
  });

  test("are given large values as they are given small ones", async () => {
    const owner = {};
    const size = 70_000;
    const replays = await replaysIn(async () => {
      for (let x = 1; x <= 6; x++) {
        const large = tf.tensor1d(Float32Array.from({ length: size }, (_, i) => (i % 7) * x));
        const small = tf.tensor1d([x, 0]);
        const { tensors } = recorded(
          () => ({ owner, name: "sum", key: "", reads: [small, large] }),
          () => ({
            tensors: { y: tf.tidy(() => large.sum().add(small.sum())) },
            facts: undefined,
          }),
        );
        const sum = tensors["y"] as tf.Tensor;
        expect((await sum.data())[0]).toBe((3 * size + 1) * x);
        tf.dispose([large, small, sum]);
      }
    });
    expect(replays, JSON.stringify(backend().replayReport().reasons)).toBe(4);
  });

  test("are computed again where a weight lies elsewhere, and while what they left is in use", async () => {
    const [owner, weight] = [{}, weightOf(3)];
    for (let x = 1; x <= 4; x++) await product(owner, x, weight);
    const other = tf.tidy(() => tf.ones([3]).add(tf.ones([3])));
    assign(weight, 5);
    expect(await product(owner, 1, weight)).toBe(10);
    expect(await product(owner, 2, weight)).toBe(20);
    const replays = await replaysIn(async () => {
      for (let x = 1; x <= 4; x++) expect(await product(owner, x, weight)).toBe(10 * x);
    });
    expect(replays).toBeGreaterThan(0);
    expect([...(await other.data())]).toEqual([2, 2, 2]);
    tf.dispose([weight, other]);
  });

  test("are never replayed if they read what they were not given, or other constants each time", async () => {
    const [owner, changing, weight] = [{}, {}, weightOf(3)];
    const replays = await replaysIn(async () => {
      for (let x = 1; x <= 9; x++) {
        expect(await product(owner, x, weight, { given: [] })).toBe(6 * x);
        expect(await product(changing, 1, weight, { factor: x })).toBe(3 * x);
      }
    });
    expect(replays).toBe(0);
    const reasons = Object.keys(backend().replayReport().reasons).join("; ");
    expect(reasons).toContain("it reads a tensor that it was not given");
    expect(reasons).toMatch(/with other values or sizes/);
    weight.dispose();
  });

  test("are checked every so often: one that depends on more than it says ends with an error", async () => {
    const [owner, weight] = [{}, weightOf(3)];
    const late = async () => {
      for (let call = 1; call <= 300; call++) {
        await product(owner, 1, weight, { factor: call > 3 ? 7 : 2 });
      }
    };
    await expect(late()).rejects.toThrow(/depends on more than its batch and its weights/);
    tf.disposeVariables();
  });
});
