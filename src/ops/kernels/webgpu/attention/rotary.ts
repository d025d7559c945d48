import type * as tf from "@tensorflow/tfjs-core";
import { type RotaryFrequencies, splitTurns } from "../../../attention/rotary-tables.js";
import { groupsOfEntries, perEntry } from "../programs/entries.js";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { type GpuTensors, registerGpuKernel, sizeOf } from "../programs/registry.js";

type Info = tf.TensorInfo;
const lanes = 256;

/**
 * WGSL: cosine and sine of an angle in turns. WGSL's own functions may be off by 2⁻¹¹, which tokens would
 * show; these series on an eighth of a turn are exact to the last bits.
 */
export const cosSin = `
fn cos_sin(turns: f32) -> vec2f {
  let quarters = round(4.0 * fract(turns));
  let x = ${2 * Math.PI} * (fract(turns) - quarters / 4.0);
  let x2 = x * x;
  let c = 1.0 - x2 * (0.5 - x2 * (${1 / 24} - x2 * (${1 / 720} - x2 * ${1 / 40320})));
  let s = x * (1.0 - x2 * (${1 / 6} - x2 * (${1 / 120} - x2 * (${1 / 5040} - x2 * ${1 / 362880}))));
  let q = u32(quarters) % 4u;
  if (q == 1u) { return vec2f(-s, c); }
  if (q == 2u) { return vec2f(-c, -s); }
  if (q == 3u) { return vec2f(s, -c); }
  return vec2f(c, s);
}`;

/** Turns heads `[B, T, H, hd]` by the angles of the tables, or back; one call for one or two tensors. */
export function turn(
  gpu: GpuTensors,
  tensors: readonly Info[],
  tables: { readonly cos: Info; readonly sin: Info },
  inverse: boolean,
): Info[] {
  const outputs = tensors.map(({ shape }) => gpu.newTensor(shape));
  const name = `rotary ${tensors.length}`;
  const shader = program(name, () => ({
    params: [
      "half: u32",
      "sign: f32",
      ...tensors.flatMap((_, i) => [`heads${i}: u32`, `size${i}: u32`]),
    ],
    reads: ["cosines: f32", "sines: f32", ...tensors.map((_, i) => `x${i}: f32`)],
    writes: tensors.map((_, i) => `y${i}: f32`),
    code: `
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  var i = ${groupIndex} * ${lanes}u + lane;
  ${tensors
    .map(
      (_, at) => `if (i < p.size${at}) {
    let pair = i % p.half;
    let head = i / p.half;
    let angle = (head / p.heads${at}) * p.half + pair;
    let first = head * 2u * p.half + pair;
    let c = cosines[angle];
    let s = sines[angle] * p.sign;
    let a = x${at}[first];
    let b = x${at}[first + p.half];
    y${at}[first] = a * c - b * s;
    y${at}[first + p.half] = b * c + a * s;
    return;
  }
  i = i - p.size${at};`,
    )
    .join("\n")}
}`,
  }));
  const half = ((tensors[0] as Info).shape[3] as number) / 2;
  const sizes = tensors.map(({ shape }) => sizeOf(shape) / 2);
  const params = tensors.flatMap(({ shape }, i) => [shape[2] as number, sizes[i] as number]);
  const groups = groupsFor(Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / lanes));
  const all = [tables.cos, tables.sin, ...tensors, ...outputs];
  gpu.run(shader, all, [half, inverse ? -1 : 1, ...params], groups);
  return outputs;
}

function registerTables(): void {
  registerGpuKernel<{ positionIds: Info; choice?: Info }, RotaryFrequencies>(
    "PupilRotaryTables",
    ({ positionIds, choice }, { inverse, factor }, gpu) => {
      const half = (inverse[0] as readonly number[]).length;
      const [cos, sin] = [0, 1].map(() => gpu.newTensor([...positionIds.shape, half])) as [
        Info,
        Info,
      ];
      const parts = Float32Array.from(inverse.flatMap((list) => list.flatMap(splitTurns)));
      const turns = gpu.makeTensorInfo([parts.length], "float32", parts);
      const type = positionIds.dtype === "float32" ? "f32" : "i32";
      const shader = program(`rotary tables ${type}${choice ? ", choice" : ""}`, () => ({
        params: ["size: u32", "half: u32", "length: u32", "factor: f32"],
        reads: [`positions: ${type}`, "turns: f32", ...(choice ? ["choice: i32"] : [])],
        writes: ["cosines: f32", "sines: f32"],
        code: `${cosSin}${perEntry(`let position = f32(positions[i / p.half]);
  var list = 0u;
  ${choice ? "list = u32(choice[i / p.half / p.length]);" : ""}
  let at = 3u * (list * p.half + i % p.half);
  let all = fract(position * turns[at]) + fract(position * turns[at + 1u]) + position * turns[at + 2u];
  let turned = cos_sin(all) * p.factor;
  cosines[i] = turned.x;
  sines[i] = turned.y;`)}`,
      }));
      const size = sizeOf(cos.shape);
      const tensors = [positionIds, turns, ...(choice ? [choice] : []), cos, sin];
      const params = [size, half, positionIds.shape[1] as number, factor];
      gpu.run(shader, tensors, params, groupsOfEntries(size));
      gpu.disposeData(turns.dataId);
      return [cos, sin];
    },
  );
}

export function registerRotary(): void {
  registerTables();
  registerGpuKernel<{ x: Info; cos: Info; sin: Info }, { inverse: boolean }>(
    "PupilRotary",
    ({ x, cos, sin }, { inverse }, gpu) => turn(gpu, [x], { cos, sin }, inverse),
  );
}
