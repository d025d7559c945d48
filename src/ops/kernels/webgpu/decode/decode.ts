import type * as tf from "@tensorflow/tfjs-core";
import { type DecodeCall, decodeKernels } from "../../../attention/decode-token.js";
import { splitTurns } from "../../../attention/rotary-tables.js";
import { type SampleAheadCall, sampleAheadKernel } from "../../../sampling/sample-ahead.js";
import { decodeAttention } from "./decode-attention.js";
import { decodeLinear } from "./decode-linear.js";
import { packWeights, registerCache } from "./decode-memory.js";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { rowLanes } from "../programs/reductions.js";
import { type GpuTensors, registerGpuKernel } from "../programs/registry.js";
import { sampleRows } from "./sample.js";

type Info = tf.TensorInfo;
type DecodeTensors = { inputIds: Info; positionIds: Info; attentionMask?: Info };

/** What is on the device between two tokens. */
interface Rows {
  readonly rows: number;
  /** Ids, positions and whether a row goes on, `[3, rows]` int32. */
  readonly state: Info;
  /** `[rows, maskStride]`, with room for the columns that come. */
  readonly mask?: Info | undefined;
  readonly maskStride: number;
  readonly turns?: Info | undefined;
}

/** @param added columns that come after the given ones */
function openRows(gpu: GpuTensors, given: DecodeTensors, call: DecodeCall, added: number): Rows {
  const { inputIds, positionIds, attentionMask } = given;
  const [rows, length] = inputIds.shape as [number, number];
  const columns = attentionMask?.shape[1] ?? 0;
  const maskStride = attentionMask ? columns + added : 0;
  const state = gpu.newTensor([3, rows], "int32");
  const mask = attentionMask && gpu.newTensor([rows, maskStride]);
  const type = attentionMask?.dtype === "float32" ? "f32" : "i32";
  const shader = program(`decode rows ${attentionMask ? type : ""}`, () => ({
    params: ["rows: u32", "columns: u32", "stride: u32", "length: u32"],
    reads: ["ids: i32", "positions: i32", ...(attentionMask ? [`given: ${type}`] : [])],
    writes: ["state: i32", ...(attentionMask ? ["mask: f32"] : [])],
    code: `
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  if (lane == 0u) {
    let last = (row + 1u) * p.length - 1u;
    state[row] = ids[last];
    state[p.rows + row] = positions[last];
    state[2u * p.rows + row] = ${attentionMask ? "select(0, 1, given[(row + 1u) * p.columns - 1u] != 0)" : "1"};
  }
  ${
    attentionMask
      ? `for (var i = lane; i < p.stride; i = i + ${rowLanes}u) {
    var shown = 0.0;
    if (i < p.columns) { shown = f32(given[row * p.columns + i]); }
    mask[row * p.stride + i] = shown;
  }`
      : ""
  }
}`,
  }));
  const reads = [inputIds, positionIds, ...(attentionMask ? [attentionMask] : [])];
  const tensors = [...reads, state, ...(mask ? [mask] : [])];
  gpu.run(shader, tensors, [rows, columns, maskStride, length], groupsFor(rows));
  const frequencies = call.rotary?.inverse[0];
  const parts = frequencies && Float32Array.from(frequencies.flatMap(splitTurns));
  const turns = parts && gpu.makeTensorInfo([parts.length], "float32", parts);
  return { rows, state, mask, maskStride, turns };
}

function closeRows(gpu: GpuTensors, { state, mask, turns }: Rows): void {
  for (const tensor of [state, mask, turns]) if (tensor) gpu.disposeData(tensor.dataId);
}

/** Embeddings of the rows' ids, with those of their positions where these are learned. */
function embed(gpu: GpuTensors, { rows, state }: Rows, { tensors }: DecodeCall["weights"]): Info {
  const table = tensors["tokenEmbedding"] as Info;
  const positions = tensors["positionEmbedding"];
  const [vocabulary, width] = table.shape as [number, number];
  const x = gpu.newTensor([rows, width]);
  const shader = program(`decode embedding${positions ? ", positions" : ""}`, () => ({
    params: ["rows: u32", "width: u32", "vocabulary: i32", "positions: i32"],
    reads: ["state: i32", "table: f32", ...(positions ? ["places: f32"] : [])],
    writes: ["x: f32"],
    code: `
@compute @workgroup_size(${rowLanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let id = u32(clamp(state[row], 0, p.vocabulary - 1));
  ${positions ? "let place = u32(clamp(state[p.rows + row], 0, p.positions - 1));" : ""}
  for (var i = lane; i < p.width; i = i + ${rowLanes}u) {
    x[row * p.width + i] = table[id * p.width + i]${positions ? " + places[place * p.width + i]" : ""};
  }
}`,
  }));
  const given = [state, table, ...(positions ? [positions] : []), x];
  gpu.run(shader, given, [rows, width, vocabulary, positions?.shape[0] ?? 1], groupsFor(rows));
  return x;
}

/** Logits `[rows, V]` of one token per row; keys and values go to position `numKeys − 1` of the caches. */
function decodeOne(gpu: GpuTensors, given: Rows, call: DecodeCall, numKeys: number): Info {
  const { numHeads, numKeyValueHeads, headDim, intermediateSize, vocabSize, epsilon } = call;
  const { weights, keys, values, slidingWindows, gated, activation, rotary } = call;
  const { rows, state, mask, maskStride, turns } = given;
  const optional = (name: string) => weights.tensors[name];
  const parts = (name: string) => ({
    weight: optional(`${name}.weight`) as Info,
    bias: optional(`${name}.bias`),
  });
  let x = embed(gpu, given, weights);
  for (let layer = 0; layer < weights.numLayers; layer++) {
    const projected = decodeLinear(gpu, {
      ...{ x, rows, epsilon, norm: parts(`${layer}.attentionNorm`) },
      ...parts(`${layer}.attentionInputs`),
      columns: (numHeads + 2 * numKeyValueHeads) * headDim,
    });
    const firstKey = Math.max(0, numKeys - (slidingWindows?.[layer] ?? numKeys));
    const y = decodeAttention(gpu, {
      ...{ projected, state, mask, maskStride, turns, factor: rotary?.factor ?? 1, epsilon, rows },
      ...{ queryNorm: optional(`${layer}.queryNorm.weight`) },
      ...{ keyNorm: optional(`${layer}.keyNorm.weight`), numKeys, firstKey },
      ...{ keys: keys[layer] as Info, values: values[layer] as Info },
      ...{ numHeads, numKeyValueHeads, headDim },
      output: { ...parts(`${layer}.attentionOutput`), residual: x },
    });
    const inner = decodeLinear(gpu, {
      ...{ x: y, rows, epsilon, norm: parts(`${layer}.mlpNorm`), columns: intermediateSize },
      ...{ ...parts(`${layer}.mlpInputs`), activation: gated ? "gated" : activation },
    });
    const out = decodeLinear(gpu, {
      ...{ x: inner, rows, epsilon, ...parts(`${layer}.mlpOutput`), residual: y },
      columns: y.shape[1] as number,
    });
    for (const used of [projected, x, inner, y]) gpu.disposeData(used.dataId);
    x = out;
  }
  const logits = decodeLinear(gpu, {
    ...{ x, rows, epsilon, norm: parts("finalNorm"), ...parts("head"), columns: vocabSize },
  });
  gpu.disposeData(x.dataId);
  return logits;
}

type AheadTensors = DecodeTensors & { attentionMask: Info; uniforms?: Info; logits?: Info };

/** All of it on the device; the host looks when it reads what is returned. */
function sampleAhead(
  { uniforms, logits: first, ...given }: AheadTensors,
  call: SampleAheadCall,
  gpu: GpuTensors,
): Info {
  const { steps, endIds, padId, numKeys } = call;
  const open = openRows(gpu, given, call, steps - 1);
  const { rows, state, mask, maskStride } = open;
  const out = gpu.newTensor([steps, 2, rows]);
  const ends = Int32Array.from(endIds.length > 0 ? endIds : [-1]);
  const endings = gpu.makeTensorInfo([ends.length], "int32", ends);
  for (let step = 0; step < steps; step++) {
    const isGiven = first !== undefined && step === 0;
    const logits = isGiven ? first : decodeOne(gpu, open, call, numKeys + step);
    const next = {
      ...{ state, mask: mask as Info, maskStride, column: numKeys + step },
      ...{ endIds: endings, numEnds: endIds.length, padId },
    };
    const target = { out, at: 2 * rows * step };
    sampleRows(gpu, { logits, uniforms, uniformsAt: rows * step }, call, target, next);
    if (!isGiven) gpu.disposeData(logits.dataId);
  }
  gpu.disposeData(endings.dataId);
  closeRows(gpu, open);
  return out;
}

export function registerDecode(): void {
  registerGpuKernel(decodeKernels.pack, packWeights);
  registerCache();
  registerGpuKernel<DecodeTensors, DecodeCall>(decodeKernels.decode, (given, call, gpu) => {
    const open = openRows(gpu, given, call, 0);
    const logits = decodeOne(gpu, open, call, call.numKeys);
    closeRows(gpu, open);
    return { ...logits, shape: [open.rows, 1, call.vocabSize] };
  });
  registerGpuKernel(sampleAheadKernel, sampleAhead);
}
