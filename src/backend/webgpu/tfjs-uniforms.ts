import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import type { ProgramUniform } from "./tfjs-backend.js";

/** The uniforms that tfjs's shaders declare: NaN, infinity, shapes and strides, the size, the program's own. */
export function uniformsOf(
  program: WebGPUProgram,
  inputs: readonly TensorInfo[],
  output: TensorInfo,
  own: readonly ProgramUniform[] = [],
): ProgramUniform[] {
  const int32 = (data: readonly number[]) => ({ type: "int32", data });
  const float32 = (value: number) => ({ type: "float32", data: [value] });
  const uniforms: ProgramUniform[] =
    program.pixelsOpType == null
      ? [
          ...[float32(Number.NaN), float32(Infinity)],
          ...[...inputs, output].flatMap(({ shape }) => [
            int32(shape),
            int32(util.computeStrides(shape)),
          ]),
        ]
      : [int32(util.computeStrides(output.shape))];
  if (program.size) {
    uniforms.push(
      int32([util.sizeFromShape(program.outputShape) / (program.outputComponent ?? 1)]),
    );
  }
  return [...uniforms, ...own];
}

/** Alignment in WGSL by number of components; five and six are structs. */
const alignments = [4, 4, 8, 16, 16, 16, 16];

/** Where each uniform begins, and the size of all of them. */
export function placeUniforms(uniforms: readonly ProgramUniform[]): {
  readonly offsets: readonly number[];
  readonly bytes: number;
} {
  const alignTo = (offset: number, alignment: number) => Math.ceil(offset / alignment) * alignment;
  const offsets: number[] = [];
  let [end, before, largest] = [0, 0, 1];
  for (const { data } of uniforms) {
    // A scalar's shape is declared with one component.
    const count = Math.max(1, data.length);
    const own = before >= 5 ? 16 : alignments[count];
    if (own === undefined) throw new Error(`No uniform has ${count} components.`);
    largest = Math.max(largest, own);
    offsets.push(alignTo(end, own));
    end = alignTo(end, own) + 4 * count;
    before = count;
  }
  return { offsets, bytes: alignTo(end, largest) };
}

export function writeUniforms(
  view: DataView,
  uniforms: readonly ProgramUniform[],
  offsets: readonly number[],
): void {
  for (const [i, { type, data }] of uniforms.entries()) {
    for (const [j, value] of (data.length === 0 ? [1] : data).entries()) {
      const at = (offsets[i] as number) + 4 * j;
      if (type === "int32") view.setInt32(at, value, true);
      else if (type === "uint32") view.setUint32(at, value, true);
      else view.setFloat32(at, value, true);
    }
  }
}
