import type * as tf from "@tensorflow/tfjs";
import { PupilError } from "../../../errors/index.js";
import {
  type DecodeCall,
  decodeKernels,
  type NamedWeights,
  type PackAttributes,
} from "../../decode-token.js";
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

/** A layer's tensors in the order of its words; keys and values are at 4 and 5. */
const layerNames = [
  ...["attentionNorm.weight", "attentionNorm.bias"],
  ...["attentionInputs.weight", "attentionInputs.bias", "keys", "values"],
  ...["attentionOutput.weight", "attentionOutput.bias", "mlpNorm.weight", "mlpNorm.bias"],
  ...["mlpInputs.weight", "mlpInputs.bias", "mlpOutput.weight", "mlpOutput.bias"],
  ...["queryNorm.weight", "keyNorm.weight"],
];
const KEYS = 4;

/** Index of a word in the plan, and the tensor whose address it is. */
type Word = readonly [index: number, tensor: Info];
const wordsOfWeights = new WeakMap<NamedWeights, readonly Word[]>();

/** Where the weights' addresses go; found once, they are needed again for every token. */
function weightWords(weights: NamedWeights): readonly Word[] {
  const known = wordsOfWeights.get(weights);
  if (known) return known;
  const { tensors, numLayers } = weights;
  const words: Word[] = [];
  const add = (index: number, name: string) => {
    const tensor = tensors[name];
    if (tensor) words.push([index, tensor]);
  };
  add(17, "tokenEmbedding");
  add(18, "positionEmbedding");
  for (const [i, name] of ["finalNorm.weight", "finalNorm.bias", "head.weight"].entries()) {
    add(21 + i, name);
  }
  for (let layer = 0; layer < numLayers; layer++) {
    for (const [i, name] of layerNames.entries())
      add(LAYERS + LAYER * layer + i, `${layer}.${name}`);
  }
  wordsOfWeights.set(weights, words);
  return words;
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
  inputs: { inputIds: Info; positionIds: Info; attentionMask?: Info },
  attributes: DecodeCall,
  backend: WasmTensors,
): Info {
  const { numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize } = attributes;
  const { numKeys, epsilon, rotary, gated, activation, slidingWindows } = attributes;
  const { weights, keys, values } = attributes;
  const { numLayers, tensors } = weights;
  using scratch = new Scratch(backend.engine);
  const { inputIds: ids, positionIds: positions, attentionMask } = inputs;
  const [B] = ids.shape as [number];
  const [numIds, D] = (tensors["tokenEmbedding"] as Info).shape as [number, number];
  const capacity = (keys[0] as Info).shape[1] as number;
  if (numKeys > capacity) throw new Error(`${numKeys} keys in a cache of ${capacity}.`);
  checkIds("embedding: the id", ids, numIds, backend);
  const table = tensors["positionEmbedding"];
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
  words.set(
    [ids, positions].map((tensor) => backend.address(tensor)),
    14,
  );
  if (attentionMask) words[16] = backend.address(attentionMask);
  for (const [index, tensor] of weightWords(weights)) words[index] = backend.address(tensor);
  if (rotary !== undefined) {
    const copied = Array.from(backend.valuesOf(positions));
    words.set(rotaryRows(copied, rotary, scratch), 19);
  }
  words.set([room(D), room(D), room(columns)], 25);
  words.set([room(numHeads * headDim), room(intermediateSize), room(2)], 28);
  for (let layer = 0; layer < numLayers; layer++) {
    const start = LAYERS + LAYER * layer;
    words[start + KEYS] = backend.address(keys[layer] as Info);
    words[start + KEYS + 1] = backend.address(values[layer] as Info);
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
  registerWasmKernel<Parameters<typeof decode>[0], DecodeCall>(decodeKernels.decode, decode);
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
