import type * as tf from "@tensorflow/tfjs-core";
import { type AdamwAttributes, biasCorrections } from "../../optimizer/adamw-update.js";
import { isFloat, registerWasmKernel, sizeOf, type WasmTensors } from "./registry.js";
import { Scratch } from "./engine/scratch.js";

type Named = Record<string, tf.TensorInfo>;

/** Words of a row of the table in assembly/optimizer.ts. */
const ROW = 10;

function updateAll(
  tensors: Named,
  attributes: AdamwAttributes,
  backend: WasmTensors,
): tf.TensorInfo[] {
  const { weightDecays, learningRate, beta1, beta2, epsilon } = attributes;
  const { rate, unbias } = biasCorrections(attributes);
  using scratch = new Scratch(backend.engine);
  const get = (name: string, i: number) => tensors[`${name}${i}`] as tf.TensorInfo;
  const states = weightDecays.map((_, i) =>
    ["parameter", "firstMoment", "secondMoment"].map((name) => get(name, i)),
  );
  // Whoever holds one of these values by another tensor must not see them change.
  const inPlace = states.flat().every(({ dataId }) => backend.refCount(dataId) === 1);
  const outputs = inPlace
    ? []
    : states.flat().map(({ shape }) => backend.newTensor(shape, "float32"));
  const table = new Int32Array(ROW * states.length);
  const keeps = new Float32Array(table.buffer);
  for (const [i, state] of states.entries()) {
    const targets = inPlace ? state : outputs.slice(3 * i, 3 * i + 3);
    const rows = [...state, get("gradient", i), ...targets];
    table.set(
      rows.map((t) => backend.address(t)),
      ROW * i,
    );
    table[ROW * i + 7] = sizeOf((state[0] as tf.TensorInfo).shape);
    keeps[ROW * i + 9] = 1 - learningRate * (weightDecays[i] as number);
  }
  backend.engine.kernels.adamw(
    ...([scratch.int32(table), states.length] as const),
    backend.address(tensors["gradientScale"] as tf.TensorInfo),
    ...([beta1, 1 - beta1, beta2, 1 - beta2, epsilon] as const),
    ...([rate, unbias] as const),
  );
  return outputs;
}

export function registerOptimizer(): void {
  registerWasmKernel<Named, AdamwAttributes>("PupilAdamwUpdate", updateAll);
  registerWasmKernel<Named>("PupilGlobalNorm", (named, _, backend) => {
    const tensors = Object.values(named);
    if (!isFloat(...tensors)) return undefined;
    const { kernels, allocator } = backend.engine;
    // One float64 for every 16384 elements of each tensor.
    const room = tensors.reduce((n, { shape }) => n + Math.ceil(sizeOf(shape) / 16384), 0);
    const partial = allocator.allocate(8 * room);
    let count = 0;
    for (const t of tensors) {
      const target = partial.address + 8 * count;
      count += kernels.sumSquares(backend.address(t), sizeOf(t.shape), target);
    }
    const out = backend.newTensor([], "float32");
    kernels.rootOfSum(partial.address, count, backend.address(out));
    allocator.release(partial);
    return out;
  });
}
