import type * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../../../errors/index.js";
import {
  type DecodeCall,
  decodeKernels,
  type NamedWeights,
  type PackAttributes,
} from "../../../attention/decode-token.js";
import type { RotaryFrequencies } from "../../../attention/rotary-tables.js";
import { type SampleAheadCall, sampleAheadKernel } from "../../../sampling/sample-ahead.js";
import { type Named, packWeights, padded } from "./pack-weights.js";
import { registerWasmKernel, sizeOf, type WasmTensors } from "../registry.js";
import { sampleRows } from "./sample.js";
import { Scratch } from "../engine/scratch.js";

type Info = tf.TensorInfo;
type DecodeTensors = { inputIds: Info; positionIds: Info; attentionMask?: Info };
type AheadTensors = DecodeTensors & { attentionMask: Info; uniforms?: Info; logits?: Info };

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
const FIRST_KEY = 16;
/** Word of the number of keys. */
const KEY_COUNT = 8;

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

/** Writes cosines and sines `[B, headDim / 2]` of positions; those of a position are computed once. */
function rotaryWriter(
  { inverse, factor }: RotaryFrequencies,
  cos: Float32Array,
  sin: Float32Array,
): (positions: ArrayLike<number>) => void {
  const [perPosition] = inverse as [readonly number[]];
  const half = perPosition.length;
  const known = new Map<number, readonly [Float32Array, Float32Array]>();
  const at = (position: number) => {
    const angles = perPosition.map((frequency) => position * frequency);
    const found = [
      Float32Array.from(angles, (angle) => factor * Math.cos(angle)),
      Float32Array.from(angles, (angle) => factor * Math.sin(angle)),
    ] as const;
    known.set(position, found);
    return found;
  };
  return (positions) => {
    for (let row = 0; row < positions.length; row++) {
      const position = positions[row] as number;
      const [c, s] = known.get(position) ?? at(position);
      cos.set(c, row * half);
      sin.set(s, row * half);
    }
  };
}

function checkIds(what: string, ids: Info, size: number, backend: WasmTensors): void {
  const n = sizeOf(ids.shape);
  const bad = backend.engine.kernels.findBadId(backend.address(ids), n, size);
  if (bad < 0) return;
  const value = backend.valuesOf(ids)[bad];
  throw outside(what, value as number, bad, size);
}

function outside(what: string, value: number, row: number, size: number): PupilError {
  return new PupilError(`${what} ${value} in row ${row} is outside 0..${size - 1}.`, { value });
}

/** What a token reads and writes: tensors, or addresses of scratch. */
interface Places {
  readonly rows: number;
  readonly ids: number;
  readonly positions: number;
  /** 0 without a mask; its rows are `maskRow` apart. */
  readonly mask: number;
  readonly maskRow: number;
  readonly logits: number;
}

/** A decoder's call as the kernel reads it, for one token after the other. */
interface Plan {
  readonly address: number;
  /** Before every token: how many keys there are with its own. */
  setKeys(numKeys: number): void;
  /** Before every token whose positions are not those of the one before. */
  setPositions(positions: ArrayLike<number>): void;
}

/** The plan stands in the memory until `scratch` ends. */
function makePlan(call: DecodeCall, places: Places, scratch: Scratch, backend: WasmTensors): Plan {
  const { numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize } = call;
  const { epsilon, rotary, gated, activation, slidingWindows, weights, keys, values } = call;
  const { rows } = places;
  const { numLayers, tensors } = weights;
  const D = (tensors["tokenEmbedding"] as Info).shape[1] as number;
  const capacity = (keys[0] as Info).shape[1] as number;
  const room = (perRow: number) => scratch.allocate(4 * rows * perRow);
  const panel = backend.engine.kernels.panelColumns();
  const columns = [numHeads, numKeyValueHeads, numKeyValueHeads]
    .map((heads) => padded(heads * headDim, panel))
    .reduce((sum, ofPart) => sum + ofPart);
  const words = new Int32Array(LAYERS + LAYER * numLayers);
  const floats = new Float32Array(words.buffer);
  words.set([rows, D, numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize, capacity]);
  words.set([0, numLayers, gated ? 1 : 0, activations[activation]], KEY_COUNT);
  floats.set([epsilon, 1 / Math.sqrt(headDim)], 12);
  words.set([places.ids, places.positions, places.mask], 14);
  for (const [index, tensor] of weightWords(weights)) words[index] = backend.address(tensor);
  const half = headDim >> 1;
  if (rotary !== undefined) words.set([room(half), room(half)], 19);
  words[24] = places.logits;
  words.set([room(D), room(D), room(columns)], 25);
  words.set([room(numHeads * headDim), room(intermediateSize), room(2), places.maskRow], 28);
  for (let layer = 0; layer < numLayers; layer++) {
    const start = LAYERS + LAYER * layer;
    words[start + KEYS] = backend.address(keys[layer] as Info);
    words[start + KEYS + 1] = backend.address(values[layer] as Info);
  }
  const address = scratch.int32(words);
  const { buffer } = backend.engine.memory;
  const placed = new Int32Array(buffer, address, words.length);
  const table = (word: number) => new Float32Array(buffer, words[word], rows * half);
  return {
    address,
    setKeys: (numKeys) => {
      if (numKeys > capacity) throw new Error(`${numKeys} keys in a cache of ${capacity}.`);
      placed[KEY_COUNT] = numKeys;
      for (let layer = 0; layer < numLayers; layer++) {
        const window = slidingWindows?.[layer] ?? numKeys;
        placed[LAYERS + LAYER * layer + FIRST_KEY] = Math.max(0, numKeys - window);
      }
    },
    setPositions: rotary ? rotaryWriter(rotary, table(19), table(20)) : () => undefined,
  };
}

const theId = "embedding: the id";

/** Throws for an id that has no embedding. */
function checkTokens(call: DecodeCall, ids: Info, positions: Info, backend: WasmTensors): void {
  const { tokenEmbedding, positionEmbedding: table } = call.weights.tensors;
  const numIds = (tokenEmbedding as Info).shape[0] as number;
  checkIds(theId, ids, numIds, backend);
  if (table) checkIds("the position", positions, table.shape[0] as number, backend);
}

function decode(
  { inputIds, positionIds, attentionMask }: DecodeTensors,
  call: DecodeCall,
  backend: WasmTensors,
): Info {
  const [rows] = inputIds.shape as [number];
  checkTokens(call, inputIds, positionIds, backend);
  const logits = backend.newTensor([rows, 1, call.vocabSize], "float32");
  using scratch = new Scratch(backend.engine);
  const places = {
    rows,
    ids: backend.address(inputIds),
    positions: backend.address(positionIds),
    mask: attentionMask ? backend.address(attentionMask) : 0,
    maskRow: call.numKeys,
    logits: backend.address(logits),
  };
  const plan = makePlan(call, places, scratch, backend);
  plan.setKeys(call.numKeys);
  plan.setPositions(backend.valuesOf(positionIds));
  backend.engine.kernels.decode(plan.address);
  return logits;
}

/** Columns of a mask from the last that a token sees on, with room for those of the next tokens. */
function growingMask(mask: Info, steps: number, scratch: Scratch, backend: WasmTensors) {
  const [rows, columns] = mask.shape as [number, number];
  const row = columns + steps - 1;
  const address = scratch.allocate(4 * rows * row);
  return {
    address,
    row,
    /** To be called when all memory has been allocated. */
    open(): { values: Float32Array; isOpen: boolean[] } {
      const values = scratch.view(address, rows * row).fill(0);
      const given = scratch.view(backend.address(mask), rows * columns);
      const isOpen: boolean[] = [];
      for (let r = 0; r < rows; r++) {
        values.set(given.subarray(r * columns, (r + 1) * columns), r * row);
        isOpen.push(given[(r + 1) * columns - 1] !== 0);
      }
      return { values, isOpen };
    },
  };
}

function sampleAhead(
  { inputIds, positionIds, attentionMask, uniforms, logits: first }: AheadTensors,
  call: SampleAheadCall,
  backend: WasmTensors,
): Info[] {
  const { steps, endIds, padId, numKeys, vocabSize, weights } = call;
  const { engine } = backend;
  if (vocabSize > engine.kernels.longestSampledRow()) return [];
  checkTokens(call, inputIds, positionIds, backend);
  const [rows, length] = inputIds.shape as [number, number];
  const out = backend.newTensor([steps, 2, rows], "float32");
  using scratch = new Scratch(engine);
  const mask = growingMask(attentionMask, steps, scratch, backend);
  const places = {
    rows,
    ids: scratch.allocate(4 * rows),
    positions: scratch.allocate(4 * rows),
    mask: mask.address,
    maskRow: mask.row,
    logits: scratch.allocate(4 * rows * vocabSize),
  };
  const plan = makePlan(call, places, scratch, backend);
  const numbers = (address: number) => new Int32Array(engine.memory.buffer, address, rows);
  const [ids, positions] = [numbers(places.ids), numbers(places.positions)];
  const [givenIds, givenPositions] = [inputIds, positionIds].map(
    (of) => new Int32Array(engine.memory.buffer, backend.address(of), rows * length),
  ) as [Int32Array, Int32Array];
  for (let row = 0; row < rows; row++) {
    const last = (row + 1) * length - 1;
    ids[row] = givenIds[last] as number;
    positions[row] = givenPositions[last] as number;
  }
  const { values: seen, isOpen } = mask.open();
  const sampled = scratch.view(backend.address(out), 2 * rows * steps).fill(0);
  const numIds = (weights.tensors["tokenEmbedding"] as Info).shape[0] as number;
  for (let step = 0; ; step++) {
    const isGiven = first !== undefined && step === 0;
    if (!isGiven) {
      plan.setKeys(numKeys + step);
      plan.setPositions(positions);
      engine.kernels.decode(plan.address);
    }
    const logits = isGiven ? backend.address(first) : places.logits;
    const to = backend.address(out) + 8 * rows * step;
    const random = uniforms ? backend.address(uniforms) + 4 * rows * step : 0;
    sampleRows(engine, call, { logits, uniforms: random, out: to }, rows, vocabSize);
    for (let row = 0; row < rows; row++) {
      const id = sampled[2 * rows * step + row] as number;
      const logProb = sampled[2 * rows * step + rows + row] as number;
      isOpen[row] &&= !endIds.includes(id) && Number.isFinite(logProb);
      ids[row] = isOpen[row] ? id : padId;
      positions[row] = isOpen[row] ? (positions[row] as number) + 1 : 0;
      if (step + 1 < steps) seen[row * mask.row + numKeys + step] = isOpen[row] ? 1 : 0;
    }
    if (step + 1 === steps || !isOpen.includes(true)) break;
    const bad = ids.findIndex((id) => id < 0 || id >= numIds);
    if (bad >= 0) throw outside(theId, ids[bad] as number, bad, numIds);
  }
  return [out];
}

export function registerDecode(): void {
  registerWasmKernel<Named, PackAttributes>(decodeKernels.pack, packWeights);
  registerWasmKernel<DecodeTensors, DecodeCall>(decodeKernels.decode, decode);
  registerWasmKernel<AheadTensors, SampleAheadCall>(sampleAheadKernel, sampleAhead);
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
