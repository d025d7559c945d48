import type * as tf from "@tensorflow/tfjs-core";
import { groupsOfEntries, perEntry } from "../programs/entries.js";
import { program } from "../programs/program.js";
import { type GpuTensors, registerGpuKernel, sizeOf } from "../programs/registry.js";

type Info = tf.TensorInfo;
export type Activation = "silu" | "gelu-tanh" | "gelu-erf";

/**
 * WGSL of the gate by which an activation multiplies its argument, and of its derivative, given the gate. The error function is
 * that of Abramowitz & Stegun, 7.1.26, off by 1.5e-7 at most.
 */
export const activationFunctions = `
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(min(-x, 80.0))); }
fn erf(x: f32) -> f32 {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(x) * (1.0 - poly * exp(-min(a * a, 80.0)));
}
fn gate_silu(x: f32) -> f32 { return sigmoid(x); }
fn slope_silu(x: f32, v: f32) -> f32 { return v - v * v; }
fn gate_gelu_tanh(x: f32) -> f32 { return sigmoid(x * (${2 * Math.sqrt(2 / Math.PI)} + ${2 * 0.044715 * Math.sqrt(2 / Math.PI)} * x * x)); }
fn slope_gelu_tanh(x: f32, v: f32) -> f32 {
  return (v - v * v) * (${2 * Math.sqrt(2 / Math.PI)} + ${6 * 0.044715 * Math.sqrt(2 / Math.PI)} * x * x);
}
fn gate_gelu_erf(x: f32) -> f32 { return 0.5 + 0.5 * erf(x * ${Math.SQRT1_2}); }
fn slope_gelu_erf(x: f32, v: f32) -> f32 { return exp(-min(0.5 * x * x, 80.0)) * ${1 / Math.sqrt(2 * Math.PI)}; }
`;

/** WGSL: an activation's value, and its derivative, at an expression. */
export function activationAt(activation: Activation, x: string): { value: string; slope: string } {
  const name = activation.replace("-", "_");
  return {
    value: `${x} * gate_${name}(${x})`,
    slope: `gate_${name}(${x}) + ${x} * slope_${name}(${x}, gate_${name}(${x}))`,
  };
}

/** Entry by entry: WGSL that reads and writes arrays at `i`. */
export function elementwise(
  gpu: GpuTensors,
  name: string,
  arrays: { readonly reads: readonly string[]; readonly writes: readonly string[] },
  code: string,
  tensors: readonly Info[],
): void {
  const floats = (names: readonly string[]) => names.map((array) => `${array}: f32`);
  const shader = program(name, () => ({
    ...{ params: ["size: u32"], reads: floats(arrays.reads), writes: floats(arrays.writes) },
    code: `${activationFunctions}${perEntry(code)}`,
  }));
  const size = sizeOf((tensors[0] as Info).shape);
  gpu.run(shader, tensors, [size], groupsOfEntries(size));
}

export const swigluBackward = `
  let s = sigmoid(gate[i]);
  let value = gate[i] * s;
  dgate[i] = dy[i] * up[i] * (s + value - value * s);
  dup[i] = dy[i] * value;`;

function registerActivation(
  kernel: string,
  activationOf: (attributes: object) => Activation,
): void {
  registerGpuKernel<{ x: Info }>(kernel, ({ x }, attributes, gpu) => {
    const activation = activationOf(attributes);
    const y = gpu.newTensor(x.shape);
    const { value } = activationAt(activation, "x[i]");
    elementwise(gpu, activation, { reads: ["x"], writes: ["y"] }, `y[i] = ${value};`, [x, y]);
    return y;
  });
  registerGpuKernel<{ dy: Info; x: Info }>(`${kernel}Grad`, ({ dy, x }, attributes, gpu) => {
    const activation = activationOf(attributes);
    const dx = gpu.newTensor(x.shape);
    const { slope } = activationAt(activation, "x[i]");
    const arrays = { reads: ["dy", "x"], writes: ["dx"] };
    const code = `dx[i] = dy[i] * (${slope});`;
    elementwise(gpu, `${activation} gradient`, arrays, code, [dy, x, dx]);
    return dx;
  });
}

export function registerActivations(): void {
  registerActivation("PupilSilu", () => "silu");
  registerActivation("PupilGelu", (attributes) =>
    (attributes as { approximation: string }).approximation === "tanh" ? "gelu-tanh" : "gelu-erf",
  );
  registerGpuKernel<{ gate: Info; up: Info }>("PupilSwiglu", ({ gate, up }, _, gpu) => {
    const y = gpu.newTensor(gate.shape);
    const code = "y[i] = gate[i] * sigmoid(gate[i]) * up[i];";
    elementwise(gpu, "swiglu", { reads: ["gate", "up"], writes: ["y"] }, code, [gate, up, y]);
    return y;
  });
  registerGpuKernel<{ dy: Info; gate: Info; up: Info }>(
    "PupilSwigluGrad",
    ({ dy, gate, up }, _, gpu) => {
      const [dgate, dup] = [gpu.newTensor(gate.shape), gpu.newTensor(gate.shape)];
      const arrays = { reads: ["dy", "gate", "up"], writes: ["dgate", "dup"] };
      elementwise(gpu, "swiglu gradient", arrays, swigluBackward, [dy, gate, up, dgate, dup]);
      return [dgate, dup];
    },
  );
  registerGpuKernel<{ x: Info; dy: Info }>("PupilTimesScalar", ({ x, dy }, _, gpu) => {
    const y = gpu.newTensor(x.shape);
    const arrays = { reads: ["x", "dy"], writes: ["y"] };
    elementwise(gpu, "times scalar", arrays, "y[i] = x[i] * dy[0];", [x, dy, y]);
    return y;
  });
}
