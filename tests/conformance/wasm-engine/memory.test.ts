/** The engine's memory: flat over training steps, reused, and bounded with a clear error. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { PupilError } from "../../../src/errors/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { forwardKlFromLogits } from "../../../src/ops/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { Random, variableGradients } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { useWasmEngine } from "../../setup/backends/wasm-engine.js";

interface EngineMemory {
  readonly bytesInUse: number;
  readonly reservedBytes: number;
}
const engineMemory = () => tf.memory() as unknown as EngineMemory;

describe("memory of the engine", () => {
  afterAll(useCpu);

  test("200 training steps leave it as it was after the first", async () => {
    await useWasmEngine({ numThreads: 2 });
    const size = { vocabSize: 20, hiddenSize: 16, numLayers: 2, numHeads: 2, maxPositions: 16 };
    const config = modelConfigSchema.parse({ family: "llama", ...size });
    using model = initializeDecoder(config, new Random(1));
    using optimizer = new AdamW(model.parameters);
    const names = [...model.parameters.keys()];
    const inputIds = tf.tensor2d([[1, 2, 3, 4, 5]], [1, 5], "int32");
    const teacherLogits = tf.randomNormal([1, 5, 20], 0, 1, "float32", 3) as tf.Tensor3D;
    const step = (): tf.Scalar =>
      tf.tidy(() => {
        const { value, gradients } = variableGradients(
          () =>
            forwardKlFromLogits(model.forward({ inputIds }), teacherLogits, {
              temperature: 1,
            }).sum() as tf.Scalar,
          [...model.parameters.values()],
        );
        const named = new Map(names.map((name, i) => [name, gradients[i] as tf.Tensor]));
        optimizer.apply(named, 1e-2, tf.scalar(1));
        return value;
      });
    const losses: number[] = [];
    const { stackTraceLimit } = Error;
    // The leak guard takes a stack for every tensor, which would be most of the time here.
    Error.stackTraceLimit = 0;
    let settled: EngineMemory | undefined;
    for (let i = 0; i < 200; i++) {
      const loss = step();
      losses.push((await loss.data())[0] as number);
      loss.dispose();
      settled ??= engineMemory();
    }
    Error.stackTraceLimit = stackTraceLimit;
    expect(engineMemory().bytesInUse).toBe(settled?.bytesInUse);
    expect(engineMemory().reservedBytes).toBe(settled?.reservedBytes);
    expect(losses[199]).toBeLessThan(0.1 * (losses[0] as number));
    tf.dispose([inputIds, teacherLogits]);
  });

  test("says how much it was asked for when it is full, and goes on", async () => {
    await useWasmEngine({ maxMemoryMiB: 16 });
    const before = engineMemory().bytesInUse;
    const attempt = () => tf.tidy(() => tf.fill([3000, 1000], 1).add(tf.fill([3000, 1000], 2)));
    expect(attempt).toThrow(PupilError);
    expect(attempt).toThrow(/Out of memory: \d+\.\d MiB more were asked for/);
    expect(engineMemory().bytesInUse).toBe(before);
    const result = tf.tidy(() => tf.fill([1000], 1).add(tf.fill([1000], 2)));
    expect((await result.data())[999]).toBe(3);
    result.dispose();
  });

  test("read values stay when their tensor is gone and its memory is used again", async () => {
    await useWasmEngine();
    const first = tf.tidy(() => tf.fill([100], 1).add(1));
    const values = await first.data();
    first.dispose();
    const second = tf.tidy(() => tf.fill([100], 5).add(1));
    expect(values[50]).toBe(2);
    second.dispose();
  });

  test("a part that a JavaScript kernel cut out of a tensor is a copy", async () => {
    await useWasmEngine();
    const whole = tf.tidy(() => tf.fill([4, 16], 3).add(1));
    const [first, ...others] = tf.unstack(whole);
    tf.dispose([whole, others]);
    const noise = Array.from({ length: 8 }, () => tf.fill([4, 16], 9));
    expect(Array.from(await (first as tf.Tensor).data())).toEqual(Array(16).fill(4));
    tf.dispose([noise, first as tf.Tensor]);
  });

  test("memory that is not shared grows under tensors that JavaScript has looked at", async () => {
    const backend = await useWasmEngine({}, { sharesMemory: false });
    expect(backend.engine.memory.buffer).toBeInstanceOf(ArrayBuffer);
    const early = tf.tidy(() => tf.fill([2, 3], 2).add(1));
    // Reading through a JavaScript kernel makes a view.
    tf.dispose(tf.tidy(() => early.cumsum(0)));
    const before = engineMemory().reservedBytes;
    const large = tf.fill([2000, 2000], 1);
    expect(engineMemory().reservedBytes).toBeGreaterThan(before);
    const sums = tf.tidy(() => early.cumsum(0).add(0));
    expect(Array.from(await sums.data())).toEqual([3, 3, 3, 6, 6, 6]);
    tf.dispose([early, large, sums]);
  });

  test("tensors made on another backend are moved over", async () => {
    await useCpu();
    const made = tf.tensor1d([1, 2, 3]);
    await useWasmEngine();
    const sum = tf.tidy(() => made.add(made).sum());
    expect((await sum.data())[0]).toBe(12);
    tf.dispose([made, sum]);
  });
});
