import type { ModelConfig } from "../decoder/config.js";
import { families, type Family } from "../families/index.js";
import { PupilError } from "../../errors/index.js";
import { decoderLayout, type ParameterSpec } from "../decoder/layout.js";
import { ropeLengths } from "../decoder/rope-scaling.js";
import { encodeTensorData, type TensorValues } from "../checkpoints/safetensors.js";
import { slidingWindows } from "../decoder/sliding-window.js";
import { attention, type KeyValue } from "./attention.js";
import { attribute, onnxGraph, type OnnxGraph, type Value } from "./graph.js";
import { embedding, type GraphContext, head, mlp, norm, within } from "./layers.js";
import { elementTypes, encodeOnnx } from "./onnx-format.js";
import { rotaryValues } from "./rotary.js";
import { scoreBiases } from "./visibility.js";

export interface ExportOnnxOptions {
  /** What the weights are stored in; the arithmetic is in float32 either way. Default: float32. */
  readonly dtype?: "float32" | "float16";
}

/**
 * A decoder as an ONNX file with the inputs and outputs that transformers.js and Optimum give
 * decoder-only models, in the standard operators of opset 17:
 *
 * | | | |
 * |---|---|---|
 * | inputs | `input_ids`, `position_ids` | int64 `[B, T]` |
 * | | `attention_mask` | int64 `[B, past + T]` |
 * | | `past_key_values.N.key`, `.value` | float32 `[B, Hkv, past, hd]` |
 * | outputs | `logits` | float32 `[B, T, V]` |
 * | | `present.N.key`, `.value` | float32 `[B, Hkv, past + T, hd]` |
 *
 * B, T and past are chosen by each call. Masked positions are not seen, wherever they are.
 *
 * @param parameters by Hugging Face name, as `decoderToTensors` returns them
 * @throws PupilError for rotary scaling that depends on the length, or if the weights do not fit into one file of 2 GiB, or a value into float16
 */
export function exportOnnx(
  config: ModelConfig,
  parameters: ReadonlyMap<string, TensorValues>,
  { dtype = "float32" }: ExportOnnxOptions = {},
): Uint8Array {
  checkRotary(config);
  const graph = onnxGraph();
  const layout = decoderLayout(config);
  const family = families[config.family] as Family;
  const stored = storedParameters(graph, parameters, dtype);
  const context: GraphContext = { config, family, graph, parameter: stored };

  const inputIds = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
  const attentionMask = graph.input("attention_mask", "int64", [
    "batch_size",
    "total_sequence_length",
  ]);
  const positionIds = graph.input("position_ids", "int64", ["batch_size", "sequence_length"]);
  const past = layout.blocks.map((_, layer) => cacheInputs(graph, config, layer));

  // Rows [N, D] with N = B·T run through the model; only attention knows of B and T.
  const rows = (ids: Value) => graph.op("Reshape", [ids, graph.ints(-1)]);
  const tokenShape = graph.op("Shape", [inputIds]);
  const shared = {
    tokenShape,
    ...(layout.positionEmbedding
      ? {}
      : { rotary: rotaryValues(within(context, "rotary"), positionIds) }),
  };
  const add = (a: Value, b: Value) => graph.op("Add", [a, b]);

  const windows = slidingWindows(config);
  const biases = scoreBiases(graph.within("visibility"), tokenShape, attentionMask, windows);
  const present: KeyValue[] = [];
  let x = embedding(context, layout.tokenEmbedding, rows(inputIds));
  if (layout.positionEmbedding) {
    x = add(x, embedding(context, layout.positionEmbedding, rows(positionIds)));
  }
  for (const [layer, block] of layout.blocks.entries()) {
    const inBlock = (part: string) => within(context, `layers.${layer}/${part}`);
    const attentionInput = norm(inBlock("attention_norm"), block.attentionNorm, x);
    const attended = attention(
      inBlock("attention"),
      block,
      attentionInput,
      past[layer] as KeyValue,
      { ...shared, scoreBias: biases[layer] as Value },
    );
    present.push(attended.present);
    x = add(x, attended.output);
    const mlpInput = norm(inBlock("mlp_norm"), block.mlpNorm, x);
    x = add(x, mlp(inBlock("mlp"), block, mlpInput));
  }
  const hidden = norm(within(context, "final_norm"), layout.finalNorm, x);
  const logits = head(within(context, "head"), layout.head, hidden);
  const shape = graph.op(
    "Concat",
    [tokenShape, graph.ints(config.vocabSize)],
    attribute.int("axis", 0),
  );
  graph.output("logits", graph.op("Reshape", [logits, shape]), "float32", [
    "batch_size",
    "sequence_length",
    config.vocabSize,
  ]);
  for (const [layer, keyValue] of present.entries()) cacheOutputs(graph, config, layer, keyValue);
  return encodeOnnx(graph.message(config.family));
}

/** Cached keys are turned already, so frequencies that change with the length cannot reach them. */
function checkRotary(config: ModelConfig): void {
  const lengths = ropeLengths(config);
  if (lengths === undefined) return;
  throw new PupilError(
    `Rotary frequencies change from a length of ${lengths.from} on, which a graph with cached keys cannot express.`,
    {
      field: "ropeScaling",
      value: config.ropeScaling,
      remedy: `Set ropeScaling to null if no sequence is longer than ${lengths.from}.`,
    },
  );
}

/** Each parameter is stored once under its own name, also where a tied head reads it again. */
function storedParameters(
  graph: OnnxGraph,
  parameters: ReadonlyMap<string, TensorValues>,
  dtype: "float32" | "float16",
): (spec: ParameterSpec) => Value {
  const values = new Map<string, Value>();
  const store = ({ name, shape }: ParameterSpec): Value => {
    const given = parameters.get(name);
    if (given === undefined) throw new Error(`exportOnnx: no parameter ${name}.`);
    const bytes = encodeTensorData(given.data, dtype, name);
    const value = graph.initializer(name, dtype, shape, bytes);
    if (dtype === "float32") return value;
    return graph.op("Cast", [value], attribute.int("to", elementTypes.float32));
  };
  return (spec) => {
    const value = values.get(spec.name) ?? store(spec);
    values.set(spec.name, value);
    return value;
  };
}

const cacheShape = ({ numKeyValueHeads, headDim }: ModelConfig, length: string) =>
  ["batch_size", numKeyValueHeads, length, headDim] as const;

function cacheInputs(graph: OnnxGraph, config: ModelConfig, layer: number): KeyValue {
  const shape = cacheShape(config, "past_sequence_length");
  const input = (part: string) => graph.input(`past_key_values.${layer}.${part}`, "float32", shape);
  return { key: input("key"), value: input("value") };
}

function cacheOutputs(
  graph: OnnxGraph,
  config: ModelConfig,
  layer: number,
  present: KeyValue,
): void {
  const shape = cacheShape(config, "total_sequence_length");
  for (const part of ["key", "value"] as const) {
    graph.output(`present.${layer}.${part}`, present[part], "float32", shape);
  }
}
