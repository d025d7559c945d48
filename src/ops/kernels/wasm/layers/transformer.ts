import type * as tf from "@tensorflow/tfjs-core";
import type { RotaryFrequencies } from "../../../attention/rotary-tables.js";
import { AffineProduct } from "./products.js";
import { registerWasmKernel, rowsOf, sizeOf, type WasmTensors } from "../registry.js";

type Info = tf.TensorInfo;
type LayoutAttributes = { weightLayout: "out-in" | "in-out" };

function registerLinear(): void {
  registerWasmKernel<{ x: Info; weight: Info; bias?: Info }, LayoutAttributes>(
    "PupilLinear",
    ({ x, weight, bias }, { weightLayout }, backend) => {
      const product = new AffineProduct(backend, weightLayout, rowsOf(x).rows);
      const shape = [...x.shape.slice(0, -1), product.outputs(weight)];
      const out = backend.newTensor(shape, "float32");
      product.forward(backend.address(x), weight, bias, backend.address(out));
      return out;
    },
  );
  registerWasmKernel<{ dy: Info; weight: Info }, LayoutAttributes>(
    "PupilLinearGradInput",
    ({ dy, weight }, { weightLayout }, backend) => {
      const product = new AffineProduct(backend, weightLayout, rowsOf(dy).rows);
      const shape = [...dy.shape.slice(0, -1), product.inputs(weight)];
      const out = backend.newTensor(shape, "float32");
      product.gradientOfInput(backend.address(dy), weight, backend.address(out));
      return out;
    },
  );
  registerWasmKernel<{ dy: Info; x: Info }, LayoutAttributes>(
    "PupilLinearGradWeight",
    ({ dy, x }, { weightLayout }, backend) => {
      const [outputs, inputs] = [rowsOf(dy), rowsOf(x)];
      const product = new AffineProduct(backend, weightLayout, inputs.rows);
      const sizes = [outputs.width, inputs.width] as const;
      return product.gradientOfWeight(backend.address(dy), backend.address(x), sizes);
    },
  );
  registerWasmKernel<{ dy: Info }>("PupilLinearGradBias", ({ dy }, _, backend) => {
    const { rows, width } = rowsOf(dy);
    return new AffineProduct(backend, "out-in", rows).gradientOfBias(backend.address(dy), width);
  });
}

function registerNorms(): void {
  type Attributes = { epsilon: number };
  registerWasmKernel<{ x: Info; weight: Info }, Attributes>(
    "PupilRmsNorm",
    ({ x, weight }, { epsilon }, backend) => {
      const { rows, width } = rowsOf(x);
      const y = backend.newTensor(x.shape, "float32");
      const scale = backend.newTensor([...x.shape.slice(0, -1), 1], "float32");
      const [ax, aw, ay, as] = addresses(backend, x, weight, y, scale);
      backend.engine.kernels.normForward(ax, aw, 0, ay, 0, as, rows, width, epsilon);
      return [y, scale];
    },
  );
  registerWasmKernel<{ dy: Info; x: Info; weight: Info; scale: Info }, Attributes>(
    "PupilRmsNormGrad",
    ({ dy, x, weight, scale }, _, backend) => {
      const { rows, width } = rowsOf(x);
      const dx = backend.newTensor(x.shape, "float32");
      const dweight = backend.newTensor([width], "float32");
      const [ady, ax, aw, as, adx, adw] = addresses(backend, dy, x, weight, scale, dx, dweight);
      backend.engine.kernels.normBackward(ady, ax, aw, 0, as, adx, adw, 0, rows, width);
      return [dx, dweight];
    },
  );
  registerWasmKernel<{ x: Info; weight: Info; bias: Info }, Attributes>(
    "PupilLayerNorm",
    ({ x, weight, bias }, { epsilon }, backend) => {
      const { rows, width } = rowsOf(x);
      const y = backend.newTensor(x.shape, "float32");
      const mean = backend.newTensor([...x.shape.slice(0, -1), 1], "float32");
      const scale = backend.newTensor(mean.shape, "float32");
      const [ax, aw, ab, ay, am, as] = addresses(backend, x, weight, bias, y, mean, scale);
      backend.engine.kernels.normForward(ax, aw, ab, ay, am, as, rows, width, epsilon);
      return [y, mean, scale];
    },
  );
  registerWasmKernel<{ dy: Info; x: Info; weight: Info; mean: Info; scale: Info }, Attributes>(
    "PupilLayerNormGrad",
    ({ dy, x, weight, mean, scale }, _, backend) => {
      const { rows, width } = rowsOf(x);
      const dx = backend.newTensor(x.shape, "float32");
      const dweight = backend.newTensor([width], "float32");
      const dbias = backend.newTensor([width], "float32");
      const [ady, ax, aw, am, as] = addresses(backend, dy, x, weight, mean, scale);
      const [adx, adw, adb] = addresses(backend, dx, dweight, dbias);
      backend.engine.kernels.normBackward(ady, ax, aw, am, as, adx, adw, adb, rows, width);
      return [dx, dweight, dbias];
    },
  );
}

/** Addresses of tensors, as many as were given. */
export function addresses<T extends Info[]>(
  backend: WasmTensors,
  ...tensors: T
): { [K in keyof T]: number } {
  return tensors.map((t) => backend.address(t)) as { [K in keyof T]: number };
}

/** Numbers of assembly/activation.ts. */
export const ACTIVATION = {
  ...{ swiglu: 0, swigluGrad: 1, silu: 2, siluGrad: 3 },
  ...{ geluTanh: 4, geluTanhGrad: 5, geluErf: 6, geluErfGrad: 7 },
};

function registerActivations(): void {
  type GeluAttributes = { approximation: "tanh" | "none" };
  const one = (op: number, x: Info, dy: Info | undefined, backend: WasmTensors): Info => {
    const out = backend.newTensor(x.shape, "float32");
    const upstream = dy ? backend.address(dy) : 0;
    const { kernels } = backend.engine;
    const size = sizeOf(x.shape);
    kernels.activation(op, backend.address(x), 0, upstream, backend.address(out), 0, size);
    return out;
  };
  registerWasmKernel<{ gate: Info; up: Info }>("PupilSwiglu", ({ gate, up }, _, backend) => {
    const out = backend.newTensor(gate.shape, "float32");
    const [a, b, y] = addresses(backend, gate, up, out);
    backend.engine.kernels.activation(ACTIVATION.swiglu, a, b, 0, y, 0, sizeOf(gate.shape));
    return out;
  });
  registerWasmKernel<{ dy: Info; gate: Info; up: Info }>(
    "PupilSwigluGrad",
    ({ dy, gate, up }, _, backend) => {
      const dgate = backend.newTensor(gate.shape, "float32");
      const dup = backend.newTensor(gate.shape, "float32");
      const [a, b, c, y, z] = addresses(backend, gate, up, dy, dgate, dup);
      const size = sizeOf(gate.shape);
      backend.engine.kernels.activation(ACTIVATION.swigluGrad, a, b, c, y, z, size);
      return [dgate, dup];
    },
  );
  registerWasmKernel<{ x: Info }>("PupilSilu", ({ x }, _, backend) =>
    one(ACTIVATION.silu, x, undefined, backend),
  );
  registerWasmKernel<{ dy: Info; x: Info }>("PupilSiluGrad", ({ dy, x }, _, backend) =>
    one(ACTIVATION.siluGrad, x, dy, backend),
  );
  registerWasmKernel<{ x: Info }, GeluAttributes>(
    "PupilGelu",
    ({ x }, { approximation }, backend) => {
      const op = approximation === "tanh" ? ACTIVATION.geluTanh : ACTIVATION.geluErf;
      return one(op, x, undefined, backend);
    },
  );
  registerWasmKernel<{ dy: Info; x: Info }, GeluAttributes>(
    "PupilGeluGrad",
    ({ dy, x }, { approximation }, backend) => {
      const op = approximation === "tanh" ? ACTIVATION.geluTanhGrad : ACTIVATION.geluErfGrad;
      return one(op, x, dy, backend);
    },
  );
}

/**
 * Cosines and sines in float64, once for every position that occurs: most rows of a batch have the
 * same ones.
 */
function rotaryTable(
  positions: ArrayLike<number>,
  listOf: (index: number) => readonly number[],
  [cos, sin]: [Float32Array, Float32Array],
  factor: number,
): void {
  const half = listOf(0).length;
  const known = new Map<readonly number[], Map<number, number>>();
  for (let index = 0; index < positions.length; index++) {
    const position = positions[index] as number;
    const list = listOf(index);
    const ofList = known.get(list) ?? new Map<number, number>();
    known.set(list, ofList);
    const before = ofList.get(position);
    const at = index * half;
    if (before !== undefined) {
      for (const table of [cos, sin]) table.copyWithin(at, before, before + half);
      continue;
    }
    ofList.set(position, at);
    for (const [i, perPosition] of list.entries()) {
      cos[at + i] = factor * Math.cos(position * perPosition);
      sin[at + i] = factor * Math.sin(position * perPosition);
    }
  }
}

function registerRotary(): void {
  registerWasmKernel<{ positionIds: Info; choice?: Info }, RotaryFrequencies>(
    "PupilRotaryTables",
    ({ positionIds, choice }, { inverse, factor }, backend) => {
      const first = inverse[0] as readonly number[];
      const [, T] = positionIds.shape as [number, number];
      const shape = [...positionIds.shape, first.length];
      const outputs = [backend.newTensor(shape, "float32"), backend.newTensor(shape, "float32")];
      // Views at the end: a new tensor can move the memory.
      const chosen = choice && backend.valuesOf(choice);
      const listOf = (index: number) =>
        chosen ? (inverse[chosen[Math.floor(index / T)] as number] as typeof first) : first;
      const both = outputs.map((t) => backend.valuesOf(t)) as [Float32Array, Float32Array];
      rotaryTable(backend.valuesOf(positionIds), listOf, both, factor);
      return outputs;
    },
  );
  registerWasmKernel<{ x: Info; cos: Info; sin: Info }, { inverse: boolean }>(
    "PupilRotary",
    ({ x, cos, sin }, { inverse }, backend) => {
      const [B, T, H, headDim] = x.shape as [number, number, number, number];
      const out = backend.newTensor(x.shape, "float32");
      const at = addresses(backend, x, cos, sin, out);
      backend.engine.kernels.rotary(...at, B * T, H, headDim / 2, inverse ? -1 : 1);
      return out;
    },
  );
}

export function registerTransformer(): void {
  registerLinear();
  registerNorms();
  registerActivations();
  registerRotary();
}
