import {
  type AttributeMessage,
  attributeTypes,
  type ElementType,
  elementTypes,
  type GraphMessage,
  type NodeMessage,
  type TensorMessage,
  type ValueMessage,
} from "./onnx-format.js";

/** A value of the graph, by its name. */
export type Value = string;
export type Dimension = number | string;
type Attributes = Readonly<Record<string, AttributeMessage>>;

/** A graph while it grows. Every operator takes names and returns the name of what it computes. */
export interface OnnxGraph {
  /** The same graph; names of what is added through it begin with `scope/`. */
  within(scope: string): OnnxGraph;
  input(name: string, type: ElementType, shape: readonly Dimension[]): Value;
  /** Gives the result of an operator, which may be read on, to the outside. */
  output(name: string, value: Value, type: ElementType, shape: readonly Dimension[]): void;
  /** A named constant, stored once. */
  initializer(name: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): Value;
  /** A vector of whole numbers; the same one is stored once. */
  ints(...values: number[]): Value;
  /** One whole number, of rank 0. */
  int(value: number): Value;
  /** One number, of rank 0. */
  float(value: number): Value;
  /** A vector. */
  floats(values: readonly number[]): Value;
  op(type: string, inputs: readonly Value[], attributes?: Attributes): Value;
  /** An operator with several results. */
  ops(type: string, inputs: readonly Value[], count: number, attributes?: Attributes): Value[];
  message(name: string): GraphMessage;
}

/** Attributes of an operator. */
export const attribute = {
  int: (name: string, i: number) => ({ [name]: { name, type: attributeTypes.int, i } }),
  ints: (name: string, ...ints: number[]) => ({
    [name]: { name, type: attributeTypes.ints, ints },
  }),
  float: (name: string, f: number) => ({ [name]: { name, type: attributeTypes.float, f } }),
};

/** An empty graph. */
export function onnxGraph(): OnnxGraph {
  const nodes: NodeMessage[] = [];
  const initializers = new Map<string, TensorMessage>();
  const inputs: ValueMessage[] = [];
  const outputs: ValueMessage[] = [];
  // Results of operators that leave the graph, under the names that they leave it by.
  const published = new Map<Value, string>();
  const renamed = (values: readonly Value[]) =>
    values.map((value) => published.get(value) ?? value);

  const initializer: OnnxGraph["initializer"] = (name, type, dims, raw_data) => {
    if (!initializers.has(name)) {
      initializers.set(name, { name, dims, data_type: elementTypes[type], raw_data });
    }
    return name;
  };
  const int64 = (values: readonly number[]) =>
    new Uint8Array(BigInt64Array.from(values, (value) => BigInt(value)).buffer);
  const float32 = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const addNode = (
    name: string,
    op_type: string,
    input: readonly Value[],
    output: Value[],
    attributes: Attributes,
  ) => {
    nodes.push({ name, op_type, input, output, attribute: Object.values(attributes) });
    return output;
  };

  const within = (scope: string): OnnxGraph => {
    const ops: OnnxGraph["ops"] = (type, given, count, attributes = {}) => {
      const name = `${scope}${type}_${nodes.length}`;
      const results = Array.from({ length: count }, (_, i) => `${name}_output_${i}`);
      return addNode(name, type, given, results, attributes);
    };
    return {
      within: (inner) => within(`${scope}${inner}/`),
      input: (name, type, shape) => {
        inputs.push(valueOf(name, type, shape));
        return name;
      },
      output: (name, value, type, shape) => {
        published.set(value, name);
        outputs.push(valueOf(name, type, shape));
      },
      initializer,
      ints: (...values) =>
        initializer(`ints/${values.join("_")}`, "int64", [values.length], int64(values)),
      int: (value) => initializer(`int/${value}`, "int64", [], int64([value])),
      float: (value) => initializer(`float/${value}`, "float32", [], float32([value])),
      floats: (values) =>
        initializer(`floats/${initializers.size}`, "float32", [values.length], float32(values)),
      op: (type, given, attributes) => ops(type, given, 1, attributes)[0] as Value,
      ops,
      message: (name) => ({
        name,
        node: nodes.map((node) => ({
          ...node,
          input: renamed(node.input),
          output: renamed(node.output),
        })),
        initializer: [...initializers.values()],
        input: inputs,
        output: outputs,
      }),
    };
  };
  return within("/");
}

function valueOf(name: string, type: ElementType, shape: readonly Dimension[]): ValueMessage {
  const dim = shape.map((size) =>
    typeof size === "number" ? { dim_value: size } : { dim_param: size },
  );
  return { name, type: { tensor_type: { elem_type: elementTypes[type], shape: { dim } } } };
}
