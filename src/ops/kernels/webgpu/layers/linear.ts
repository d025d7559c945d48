import type * as tf from "@tensorflow/tfjs-core";
import type { WeightLayout } from "../../../layers/linear.js";
import { columnSums } from "./column-sums.js";
import { matmul } from "../matmul/matmul.js";
import type { MatmulJob } from "../matmul/matmul-job.js";
import { type GpuTensors, registerGpuKernel, rowsOf } from "../programs/registry.js";

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

/** Layers with one input, side by side: their outputs, in one buffer. A residual is added to the first. */
export function project(
  gpu: GpuTensors,
  x: Info,
  layers: readonly Projection[],
  layout: WeightLayout,
  residual?: Info,
): Info[] {
  const outputs = gpu.newTensors(
    layers.map(({ weight }) => [...x.shape.slice(0, -1), outputsOf(weight, layout)]),
  );
  matmul(gpu, { jobs: projections(x, layers, outputs, layout, residual) });
  return outputs;
}

/** The products of layers with one input. */
export function projections(
  x: Info,
  layers: readonly Projection[],
  outputs: readonly Info[],
  layout: WeightLayout,
  residual?: Info,
): MatmulJob[] {
  const { rows, width } = rowsOf(x);
  return layers.map(({ weight, bias }, i) => ({
    ...{ a: [x], b: [weight], bias, out: outputs[i] as Info, rows },
    ...{ residual: i === 0 ? residual : undefined, columns: outputsOf(weight, layout) },
    ...{ transposeA: false, transposeB: layout === "out-in", inner: [width] },
  }));
}

/** The gradient of the input of layers that share it: the sum over them. */
export function gradientOfInput(
  gpu: GpuTensors,
  dys: readonly Info[],
  weights: readonly Info[],
  layout: WeightLayout,
): Info {
  const job = inputGradient(dys, weights, layout);
  const out = gpu.newTensor([...(dys[0] as Info).shape.slice(0, -1), job.columns]);
  matmul(gpu, { jobs: [{ ...job, out }] });
  return out;
}

/** The same as products, without where they go. */
export function inputGradient(
  dys: readonly Info[],
  weights: readonly Info[],
  layout: WeightLayout,
): MatmulJob {
  const [dy, weight] = [dys[0] as Info, weights[0] as Info];
  return {
    ...{ a: dys, b: weights, rows: rowsOf(dy).rows, columns: inputsOf(weight, layout) },
    ...{ transposeA: false, transposeB: layout === "in-out" },
    inner: dys.map((d) => rowsOf(d).width),
  };
}

/** The gradients of weights, each in its layout, from inputs and gradients of outputs; in one buffer. */
export function weightGradients(
  gpu: GpuTensors,
  layers: readonly { readonly dy: Info; readonly x: Info }[],
  layout: WeightLayout,
): (MatmulJob & { readonly out: Info })[] {
  const given = layers.map(({ dy, x }) =>
    layout === "out-in" ? ([dy, x] as const) : ([x, dy] as const),
  );
  const sizes = given.map(([a, b]) => [rowsOf(a).width, rowsOf(b).width] as const);
  const outputs = gpu.newTensors(sizes);
  return given.map(([a, b], i) => {
    const [rows, columns] = sizes[i] as readonly [number, number];
    return {
      ...{ a: [a], b: [b], out: outputs[i] as Info, rows, columns },
      ...{ transposeA: true, transposeB: false, inner: [rowsOf(a).rows] },
    };
  });
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
    (layer, { weightLayout }, gpu) => {
      const jobs = weightGradients(gpu, [layer], weightLayout);
      matmul(gpu, { jobs });
      return jobs.map(({ out }) => out);
    },
  );
  registerGpuKernel<{ dy: Info }>("PupilLinearGradBias", ({ dy }, _, gpu) => columnSums(gpu, [dy]));
}
