import type { ModelConfig } from "../decoder/config.js";
import type { Activation, Family } from "../families/index.js";
import type { AffineSpec, BlockSpec, ParameterSpec } from "../decoder/layout.js";
import { attribute, type OnnxGraph, type Value } from "./graph.js";

/** What every part of the graph reads. */
export interface GraphContext {
  readonly config: ModelConfig;
  readonly family: Family;
  readonly graph: OnnxGraph;
  /** A parameter in float32, whatever it is stored in. */
  parameter(spec: ParameterSpec): Value;
}

/** The same with names that begin with a scope. */
export function within(context: GraphContext, scope: string): GraphContext {
  return { ...context, graph: context.graph.within(scope) };
}

/** `x W + b` on rows: `[N, in]` to `[N, out]`; the layout of W is the family's. */
export function linear(context: GraphContext, { weight, bias }: AffineSpec, x: Value): Value {
  const { weightLayout } = context.family;
  return project(context, { weight, ...(bias && { bias }) }, x, weightLayout);
}

/** `x Eᵀ` for the head `[V, D]`, whose layout no family changes: `[N, D]` to `[N, V]`. */
export function head(context: GraphContext, weight: ParameterSpec, x: Value): Value {
  return project(context, { weight }, x, "out-in");
}

function project(
  { graph, parameter }: GraphContext,
  { weight, bias }: AffineSpec,
  x: Value,
  weightLayout: Family["weightLayout"],
): Value {
  const inputs = [x, parameter(weight), ...(bias ? [parameter(bias)] : [])];
  return graph.op("Gemm", inputs, attribute.int("transB", weightLayout === "out-in" ? 1 : 0));
}

/** The norm of the family over the last axis, whatever the rank. */
export function norm(context: GraphContext, { weight, bias }: AffineSpec, x: Value): Value {
  const { graph, parameter } = context;
  const { normEpsilon } = context.config;
  if (bias) {
    const attributes = {
      ...attribute.int("axis", -1),
      ...attribute.float("epsilon", normEpsilon),
    };
    return graph.op("LayerNormalization", [x, parameter(weight), parameter(bias)], attributes);
  }
  const meanSquare = graph.op("ReduceMean", [graph.op("Mul", [x, x])], attribute.ints("axes", -1));
  const rootMeanSquare = graph.op("Sqrt", [
    graph.op("Add", [meanSquare, graph.float(normEpsilon)]),
  ]);
  return graph.op("Mul", [graph.op("Div", [x, rootMeanSquare]), parameter(weight)]);
}

/** Rows of a table `[V, D]` by ids of any shape. */
export function embedding({ graph, parameter }: GraphContext, table: ParameterSpec, ids: Value) {
  return graph.op("Gather", [parameter(table), ids], attribute.int("axis", 0));
}

const geluTanh = (graph: OnnxGraph, x: Value): Value => {
  const cube = graph.op("Mul", [graph.op("Mul", [x, x]), x]);
  const inner = graph.op("Add", [x, graph.op("Mul", [cube, graph.float(0.044715)])]);
  const tanh = graph.op("Tanh", [graph.op("Mul", [inner, graph.float(Math.sqrt(2 / Math.PI))])]);
  return half(graph, x, tanh);
};

/** `x/2 · (1 + y)`. */
const half = (graph: OnnxGraph, x: Value, y: Value): Value =>
  graph.op("Mul", [graph.op("Mul", [x, graph.float(0.5)]), graph.op("Add", [y, graph.float(1)])]);

const activationNodes: Record<Activation, (graph: OnnxGraph, x: Value) => Value> = {
  silu: (graph, x) => graph.op("Mul", [x, graph.op("Sigmoid", [x])]),
  gelu: (graph, x) =>
    half(graph, x, graph.op("Erf", [graph.op("Mul", [x, graph.float(Math.SQRT1_2)])])),
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
};

/** `down(act(up x))`, or `down(act(gate x) · up x)` where it is gated: `[N, D]` to `[N, D]`. */
export function mlp(context: GraphContext, block: BlockSpec, x: Value): Value {
  const { config, graph } = context;
  const [first, up] = block.mlpInputs.map((spec) => linear(context, spec, x));
  const activated = activationNodes[config.activation](graph, first as Value);
  const gated = up === undefined ? activated : graph.op("Mul", [activated, up]);
  return linear(context, block.mlpOutput, gated);
}
