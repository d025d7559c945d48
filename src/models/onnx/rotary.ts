import { splitTurns } from "../../ops/index.js";
import { ropeFrequencies } from "../decoder/rope-scaling.js";
import { attribute, type OnnxGraph, type Value } from "./graph.js";
import type { GraphContext } from "./layers.js";

/** `[B, 1, T, hd/2]`. */
export interface RotaryValues {
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * Cosine and sine of the angles of position ids `[B, T]`, by the arithmetic of `rotaryTables`: turns
 * in three parts, the first two of which multiply exactly and are reduced to less than one turn.
 */
export function rotaryValues({ graph, config }: GraphContext, positionIds: Value): RotaryValues {
  const { inverse, factor } = ropeFrequencies(config);
  const split = (inverse[0] as readonly number[]).map(splitTurns);
  const positions = graph.op("Unsqueeze", [
    graph.op("Cast", [positionIds], attribute.int("to", 1)),
    graph.ints(1, 3),
  ]);
  const [high, middle, low] = [0, 1, 2].map((part) =>
    graph.op("Mul", [positions, graph.floats(split.map((parts) => parts[part] as number))]),
  ) as [Value, Value, Value];
  const fraction = (x: Value) => graph.op("Sub", [x, graph.op("Floor", [x])]);
  const turns = graph.op("Add", [graph.op("Add", [fraction(high), fraction(middle)]), low]);
  const reduced = graph.op("Sub", [turns, graph.op("Round", [turns])]);
  const angle = graph.op("Mul", [reduced, graph.float(2 * Math.PI)]);
  const table = (type: "Cos" | "Sin") => {
    const values = graph.op(type, [angle]);
    return factor === 1 ? values : graph.op("Mul", [values, graph.float(factor)]);
  };
  return { cos: table("Cos"), sin: table("Sin") };
}

/** Turns the pairs `(x[i], x[i + hd/2])` of heads `[B, H, T, hd]`. */
export function rotate(
  graph: OnnxGraph,
  headDim: number,
  x: Value,
  { cos, sin }: RotaryValues,
): Value {
  const halves = graph.ints(headDim / 2, headDim / 2);
  const [first, second] = graph.ops("Split", [x, halves], 2, attribute.int("axis", -1)) as [
    Value,
    Value,
  ];
  const product = (a: Value, b: Value) => graph.op("Mul", [a, b]);
  const turned = [
    graph.op("Sub", [product(first, cos), product(second, sin)]),
    graph.op("Add", [product(second, cos), product(first, sin)]),
  ];
  return graph.op("Concat", turned, attribute.int("axis", -1));
}
