import { attribute, type OnnxGraph, type Value } from "./graph.js";
import { elementTypes } from "./onnx-format.js";

/**
 * What is added to the scores of query t and key s, `[B, 1, 1, T, S]`: 0 where the query may see the
 * key, else −1e9. The queries are the last T of S positions; a query sees the keys up to its own
 * position whose attention mask `[B, S]` is not 0.
 */
export function scoreBias(graph: OnnxGraph, tokenShape: Value, attentionMask: Value): Value {
  const size = (shape: Value) =>
    graph.op("Gather", [shape, graph.int(1)], attribute.int("axis", 0));
  const numTokens = size(tokenShape);
  const numKeys = size(graph.op("Shape", [attentionMask]));
  const range = (from: Value) => graph.op("Range", [from, numKeys, graph.int(1)]);

  const keys = range(graph.int(0));
  const queries = range(graph.op("Sub", [numKeys, numTokens]));
  // [T, S]
  const causal = graph.op("LessOrEqual", [keys, graph.op("Unsqueeze", [queries, graph.ints(1)])]);
  const isReal = graph.op("Cast", [attentionMask], attribute.int("to", elementTypes.bool));
  const visible = graph.op("And", [causal, graph.op("Unsqueeze", [isReal, graph.ints(1, 2, 3)])]);
  return graph.op("Where", [visible, graph.float(0), graph.float(-1e9)]);
}
