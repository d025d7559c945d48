import type * as tf from "@tensorflow/tfjs-core";
import { groupsOfEntries, perEntry } from "./programs/entries.js";
import { program } from "./programs/program.js";
import { registerGpuKernel, sizeOf } from "./programs/registry.js";

type Info = tf.TensorInfo;

/**
 * Whole numbers and truth values as float32. tfjs's own kernel keeps the integers and calls them float32: its shaders look at
 * what the data were before, ours would read their bits as numbers near 0.
 */
export function registerCast(): void {
  registerGpuKernel<{ x: Info }, { dtype: tf.DataType }>("Cast", ({ x }, { dtype }, gpu) => {
    const isWhole = x.dtype === "int32" || x.dtype === "bool";
    if (!isWhole || dtype !== "float32") return undefined;
    const { shape } = x;
    const out = gpu.newTensor(shape);
    const size = sizeOf(shape);
    const shader = program("to float", () => ({
      ...{ params: ["size: u32"], reads: ["x: i32"], writes: ["y: f32"] },
      code: perEntry("y[i] = f32(x[i]);"),
    }));
    gpu.run(shader, [x, out], [size], groupsOfEntries(size));
    return out;
  });
}
