import type * as tf from "@tensorflow/tfjs";
import { PupilError } from "../../../errors/index.js";
import { type DecodeAttributes, decodeKernels, type PackAttributes } from "../../decode-token.js";
import type { RotaryFrequencies } from "../../rotary-tables.js";
import { registerWasmKernel, sizeOf, type WasmTensors } from "./registry.js";
import { Scratch } from "./scratch.js";

type Info = tf.TensorInfo;
type Named = Record<string, Info>;

/** `columns` filled up to whole panels. */
const padded = (columns: number, panel: number) => Math.ceil(columns / panel) * panel;

function packWeights(
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

/** Numbers of assembly/activation.ts. */
const activations = { silu: 2, "gelu-tanh": 4, "gelu-erf": 6 } as const;

/** Words of a plan before its layers, and of each layer: as in assembly/decode.ts. */
const LAYERS = 32;
const LAYER = 20;

const namesOfLayers: (readonly string[])[] = [];

/** Names of a layer's tensors in the order of its words; they are needed again for every token. */
function layerNames(layer: number): readonly string[] {
  namesOfLayers[layer] ??= [
    ...["attentionNorm.weight", "attentionNorm.bias"],
    ...["attentionInputs.weight", "attentionInputs.bias", "keys", "values"],
    ...["attentionOutput.weight", "attentionOutput.bias", "mlpNorm.weight", "mlpNorm.bias"],
    ...["mlpInputs.weight", "mlpInputs.bias", "mlpOutput.weight", "mlpOutput.bias"],
    ...["queryNorm.weight", "keyNorm.weight"],
  ].map((name) => `${layer}.${name}`);
  return namesOfLayers[layer];
}

/** Addresses of cosines and sines `[B, headDim / 2]` of the new positions. */
function rotaryRows(
  positions: ArrayLike<number>,
  { inverse, factor }: RotaryFrequencies,
  scratch: Scratch,
): [number, number] {
  const [perPosition] = inverse as [readonly number[]];
  const half = perPosition.length;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let row = 0; row < positions.length; row++) {
    if (positions[row] === positions[row - 1]) {
      // Rows of one length are at one position: no sines again.
      for (const table of [cos, sin]) table.copyWithin(row * half, (row - 1) * half, row * half);
      continue;
    }
    for (let i = 0; i < half; i++) {
      const angle = (positions[row] as number) * (perPosition[i] as number);
      cos[row * half + i] = factor * Math.cos(angle);
      sin[row * half + i] = factor * Math.sin(angle);
    }
  }
  return [scratch.float32(cos), scratch.float32(sin)];
}

function checkIds(what: string, ids: Info, size: number, backend: WasmTensors): void {
  const n = sizeOf(ids.shape);
  const bad = backend.engine.kernels.findBadId(backend.address(ids), n, size);
  if (bad < 0) return;
  const value = backend.valuesOf(ids)[bad];
  throw new PupilError(`${what} ${value} in row ${bad} is outside 0..${size - 1}.`, { value });
}

function decode(
  inputs: Named,
  attributes: DecodeAttributes & { readonly numLayers: number; readonly numKeys: number },
  backend: WasmTensors,
): Info {
  const { numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize } = attributes;
  const { numLayers, numKeys, epsilon, rotary, gated, activation } = attributes;
  const { slidingWindows } = attributes;
  using scratch = new Scratch(backend.engine);
  const get = (name: string) => inputs[name] as Info;
  const at = (name: string) => {
    const tensor = inputs[name];
    return tensor ? backend.address(tensor) : 0;
  };
  const ids = get("inputIds");
  const [B] = ids.shape as [number];
  const D = get("tokenEmbedding").shape[1] as number;
  const capacity = get("0.keys").shape[1] as number;
  if (numKeys > capacity) throw new Error(`${numKeys} keys in a cache of ${capacity}.`);
  checkIds("embedding: the id", ids, get("tokenEmbedding").shape[0] as number, backend);
  const table = inputs["positionEmbedding"];
  const positions = get("positionIds");
  if (table) checkIds("the position", positions, table.shape[0] as number, backend);
  const room = (perRow: number) => scratch.allocate(4 * B * perRow);
  const panel = backend.engine.kernels.panelColumns();
  const columns = [numHeads, numKeyValueHeads, numKeyValueHeads]
    .map((heads) => padded(heads * headDim, panel))
    .reduce((sum, ofPart) => sum + ofPart);
  const words = new Int32Array(LAYERS + LAYER * numLayers);
  const floats = new Float32Array(words.buffer);
  words.set([B, D, numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize, capacity]);
  words.set([numKeys, numLayers, gated ? 1 : 0, activations[activation]], 8);
  floats.set([epsilon, 1 / Math.sqrt(headDim)], 12);
  words.set([at("inputIds"), at("positionIds"), at("attentionMask"), at("tokenEmbedding")], 14);
  words[18] = at("positionEmbedding");
  if (rotary !== undefined) {
    const values = Array.from(backend.valuesOf(positions));
    words.set(rotaryRows(values, rotary, scratch), 19);
  }
  words.set([at("finalNorm.weight"), at("finalNorm.bias"), at("head.weight")], 21);
  words.set([room(D), room(D), room(columns)], 25);
  words.set([room(numHeads * headDim), room(intermediateSize), room(2)], 28);
  for (let layer = 0; layer < numLayers; layer++) {
    const start = LAYERS + LAYER * layer;
    for (const [i, name] of layerNames(layer).entries()) words[start + i] = at(name);
    const window = slidingWindows?.[layer] ?? numKeys;
    words[start + 16] = Math.max(0, numKeys - window);
  }
  const plan = scratch.int32(words);
  const logits = backend.newTensor([B, 1, vocabSize], "float32");
  new Int32Array(backend.engine.memory.buffer, plan)[24] = backend.address(logits);
  backend.engine.kernels.decode(plan);
  return logits;
}

export function registerDecode(): void {
  registerWasmKernel<Named, PackAttributes>(decodeKernels.pack, packWeights);
  registerWasmKernel<Named, Parameters<typeof decode>[1]>(decodeKernels.decode, decode);
  registerWasmKernel<{ cache: Info; values: Info }, { start: number }>(
    decodeKernels.writeCache,
    ({ cache, values }, { start }, backend) => {
      const [B, capacity, ...rest] = cache.shape as [number, number, number, number];
      const T = values.shape[1] as number;
      if (start + T > capacity)
        throw new Error(`${start + T} positions in a cache of ${capacity}.`);
      const row = sizeOf(rest);
      const to = backend.address(cache) + 4 * start * row;
      const from = backend.address(values);
      const axes = [1, B, T, row, 0, T * row, row, 1, 0, capacity * row, row, 1] as const;
      backend.engine.kernels.stridedCopy(from, to, ...axes);
      return [];
    },
  );
}
