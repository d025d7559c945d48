import { attribute, type OnnxGraph, type Value } from "./graph.js";
import { elementTypes } from "./onnx-format.js";

/**
 * By layer, what is added to the scores of query t and key s, `[B, 1, 1, T, S]`: 0 where the query may
 * see the key, else −1e9. The queries are the last T of S positions; a query sees the keys up to its
 * own position, no further back than the layer's window, whose attention mask `[B, S]` is not 0.
 *
 * @param windows by layer, how many keys a query sees, itself included; undefined for all
 */
export function scoreBiases(
  graph: OnnxGraph,
  tokenShape: Value,
  attentionMask: Value,
  windows: readonly (number | undefined)[],
): Value[] {
  const size = (shape: Value) =>
    graph.op("Gather", [shape, graph.int(1)], attribute.int("axis", 0));
  const and = (a: Value, b: Value) => graph.op("And", [a, b]);
  const numTokens = size(tokenShape);
  const numKeys = size(graph.op("Shape", [attentionMask]));
  const range = (from: Value) => graph.op("Range", [from, numKeys, graph.int(1)]);

  const keys = range(graph.int(0));
  // [T, 1]
  const queries = graph.op("Unsqueeze", [
    range(graph.op("Sub", [numKeys, numTokens])),
    graph.ints(1),
  ]);
  const isReal = graph.op("Unsqueeze", [
    graph.op("Cast", [attentionMask], attribute.int("to", elementTypes.bool)),
    graph.ints(1, 2, 3),
  ]);
  const causal = and(graph.op("LessOrEqual", [keys, queries]), isReal);

  const biasOf = (window: number | undefined): Value => {
    const before = (size: number) => graph.op("Sub", [queries, graph.int(size)]);
    const visible =
      window === undefined ? causal : and(causal, graph.op("Greater", [keys, before(window)]));
    return graph.op("Where", [visible, graph.float(0), graph.float(-1e9)]);
  };
  const biases = new Map([...new Set(windows)].map((window) => [window, biasOf(window)]));
  return windows.map((window) => biases.get(window) as Value);
}
