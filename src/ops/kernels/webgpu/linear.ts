import type * as tf from "@tensorflow/tfjs-core";
import type { WeightLayout } from "../../linear.js";
import { columnSums } from "./column-sums.js";
import { matmul } from "./matmul.js";
import { type GpuTensors, registerGpuKernel, rowsOf } from "./registry.js";

type Info = tf.TensorInfo;
type Attributes = { weightLayout: WeightLayout };

/** A linear layer's weight, and what is added to its product. */
export interface Projection {
  readonly weight: Info;
  readonly bias?: Info | undefined;
}

export function outputsOf({ shape }: Info, layout: WeightLayout): number {
  return shape[layout === "out-in" ? 0 : 1] as number;
}

function inputsOf({ shape }: Info, layout: WeightLayout): number {
  return shape[layout === "out-in" ? 1 : 0] as number;
}

/** Layers with one input, side by side: their outputs. A residual is added to the first. */
export function project(
  gpu: GpuTensors,
  x: Info,
  layers: readonly Projection[],
  layout: WeightLayout,
  residual?: Info,
): Info[] {
  const { rows, width } = rowsOf(x);
  const outputs = layers.map(({ weight }) =>
    gpu.newTensor([...x.shape.slice(0, -1), outputsOf(weight, layout)]),
  );
  const jobs = layers.map(({ weight, bias }, i) => ({
    ...{ a: [x], b: [weight], bias, out: outputs[i] as Info, rows },
    ...{ residual: i === 0 ? residual : undefined, columns: outputsOf(weight, layout) },
  }));
  const transposeB = layout === "out-in";
  matmul(gpu, { jobs, transposeA: false, transposeB, inner: [width] });
  return outputs;
}

/** The gradient of the input of layers that share it: the sum over them. */
export function gradientOfInput(
  gpu: GpuTensors,
  dys: readonly Info[],
  weights: readonly Info[],
  layout: WeightLayout,
): Info {
  const [dy, weight] = [dys[0] as Info, weights[0] as Info];
  const columns = inputsOf(weight, layout);
  const out = gpu.newTensor([...dy.shape.slice(0, -1), columns]);
  const job = { a: dys, b: weights, out, rows: rowsOf(dy).rows, columns };
  const inner = dys.map((d) => rowsOf(d).width);
  matmul(gpu, { jobs: [job], transposeA: false, transposeB: layout === "in-out", inner });
  return out;
}

/** The gradients of weights, each in its layout, from inputs and gradients of outputs. */
export function gradientsOfWeights(
  gpu: GpuTensors,
  layers: readonly { readonly dy: Info; readonly x: Info }[],
  layout: WeightLayout,
): Info[] {
  const given = layers.map(({ dy, x }) =>
    layout === "out-in" ? ([dy, x] as const) : ([x, dy] as const),
  );
  const jobs = given.map(([a, b]) => {
    const [rows, columns] = [rowsOf(a).width, rowsOf(b).width];
    return { a: [a], b: [b], out: gpu.newTensor([rows, columns]), rows, columns };
  });
  const inner = [rowsOf((layers[0] as { x: Info }).x).rows];
  matmul(gpu, { jobs, transposeA: true, transposeB: false, inner });
  return jobs.map(({ out }) => out);
}

export function registerLinear(): void {
  registerGpuKernel<{ x: Info; weight: Info; bias?: Info }, Attributes>(
    "PupilLinear",
    ({ x, weight, bias }, { weightLayout }, gpu) =>
      project(gpu, x, [{ weight, bias }], weightLayout),
  );
  registerGpuKernel<{ dy: Info; weight: Info }, Attributes>(
    "PupilLinearGradInput",
    ({ dy, weight }, { weightLayout }, gpu) => gradientOfInput(gpu, [dy], [weight], weightLayout),
  );
  registerGpuKernel<{ dy: Info; x: Info }, Attributes>(
    "PupilLinearGradWeight",
    (layer, { weightLayout }, gpu) => gradientsOfWeights(gpu, [layer], weightLayout),
  );
  registerGpuKernel<{ dy: Info }>("PupilLinearGradBias", ({ dy }, _, gpu) => columnSums(gpu, [dy]));
}
