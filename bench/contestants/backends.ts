import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { registerSegmentSum } from "../../src/backend/segment-sum.js";
import { startWasmBackend } from "../../src/backend/wasm/index.js";
import type { Executor } from "../../src/ops/index.js";
import { nodeWasmPlatform } from "../../src/node/wasm-platform.js";

/** How a backend tells the most memory that `run` used beyond what was in use before. */
export type PeakMeter = (run: () => Promise<void>) => Promise<number>;

/** The CPU engine; counts every byte handed out by its allocator, kernels' scratch included. */
export async function startEngine(numThreads: number, executor?: Executor): Promise<PeakMeter> {
  const { engine } = await startWasmBackend(nodeWasmPlatform, {
    numThreads,
    ...(executor && { executor }),
  });
  // Lets the workers start.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { allocator } = engine;
  return async (run) => {
    const before = allocator.bytesInUse;
    allocator.peakBytes = before;
    await run();
    return allocator.peakBytes - before;
  };
}

/** What the stock backend offers its kernels. */
interface StockBackend {
  readSync(dataId: object): Float32Array | Int32Array;
  makeOutput(
    shape: number[],
    dtype: "float32" | "int32",
    memoryOffset: undefined,
    values: Float32Array | Int32Array,
  ): tf.TensorInfo;
}

/**
 * tfjs's own wasm backend as its package leaves it: every op of ours runs as composed of tfjs ops,
 * gradients go through its matmul for transposed operands. Only the segment sum is ours: without one
 * it has no gradient of an embedding and cannot train at all. Counts tfjs tensors only.
 */
export async function startStock(): Promise<PeakMeter> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  const main = fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm"));
  setWasmPaths(main.replace(/[^/]*$/, ""));
  if (!(await tf.setBackend("wasm"))) throw new Error("The stock wasm backend did not start.");
  registerSegmentSum<StockBackend>("wasm", {
    read: ({ dataId }, backend) => backend.readSync(dataId),
    write: (values, shape, dtype, backend) => backend.makeOutput(shape, dtype, undefined, values),
  });
  tf.env().set("CHECK_COMPUTATION_FOR_ERRORS", false);
  return async (run) => {
    const before = tf.memory().numBytes;
    const { peakBytes } = await tf.profile(async () => {
      await run();
      return [] as unknown as tf.TensorContainer;
    });
    return peakBytes - before;
  };
}
