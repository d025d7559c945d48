import type * as tf from "@tensorflow/tfjs-core";
import type { PackAttributes } from "../../../attention/decode-token.js";
import type { WasmTensors } from "../registry.js";

type Info = tf.TensorInfo;
export type Named = Record<string, Info>;

/** `columns` filled up to whole panels. */
export const padded = (columns: number, panel: number) => Math.ceil(columns / panel) * panel;

/** Weights side by side in panels, and their biases in the same order if there are any. */
export function packWeights(
  inputs: Named,
  { parts, weightLayout, interleaved }: PackAttributes,
  backend: WasmTensors,
): Info[] {
  const { kernels } = backend.engine;
  const outIn = weightLayout === "out-in";
  const get = (name: string, i: number) => inputs[`${name}${i}`];
  const k = (get("weight", 0) as Info).shape[outIn ? 1 : 0] as number;
  const panel = kernels.panelColumns();
  const total = parts.reduce((sum, { columns }) => sum + padded(columns, panel), 0);
  const packed = backend.newTensor([total * k], "float32");
  const step = interleaved ? parts.length : 1;
  const bias = new Float32Array(total);
  const hasBias = parts.some((_, i) => get("bias", i) !== undefined);
  let column = 0;
  for (const [i, { start, columns }] of parts.entries()) {
    const weight = get("weight", i) as Info;
    const first = interleaved ? i * panel : column;
    const out = backend.address(packed) + 4 * first * k;
    const [rows, ld] = weight.shape as [number, number];
    const known = outIn ? rows : ld;
    if (start + columns > known) throw new Error(`${columns} columns of ${known} from ${start}.`);
    const address = backend.address(weight);
    kernels.packPanels(out, step, address, ld, outIn ? 1 : 0, k, start, columns);
    const biasInfo = get("bias", i);
    const values = biasInfo ? backend.valuesOf(biasInfo) : [];
    for (let c = 0; c < values.length && c < columns; c++) {
      const ofPanel = Math.floor(c / panel) * step * panel;
      bias[first + ofPanel + (c % panel)] = values[start + c] as number;
    }
    column += padded(columns, panel);
  }
  if (!hasBias) return [packed];
  const packedBias = backend.newTensor([total], "float32");
  (backend.valuesOf(packedBias) as Float32Array).set(bias);
  return [packed, packedBias];
}
