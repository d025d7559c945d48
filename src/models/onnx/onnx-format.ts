import protobuf from "protobufjs/light.js";
import { PupilError } from "../../errors/index.js";

const field = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });

/**
 * The messages of ONNX that a graph of ours uses, with the field numbers of the standard.
 *
 * Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const descriptor = {
  nested: {
    ModelProto: {
      fields: {
        ir_version: field("int64", 1),
        producer_name: field("string", 2),
        graph: field("GraphProto", 7),
        opset_import: repeated("OperatorSetIdProto", 8),
      },
    },
    OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    GraphProto: {
      fields: {
        node: repeated("NodeProto", 1),
        name: field("string", 2),
        initializer: repeated("TensorProto", 5),
        input: repeated("ValueInfoProto", 11),
        output: repeated("ValueInfoProto", 12),
      },
    },
    NodeProto: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        name: field("string", 3),
        op_type: field("string", 4),
        attribute: repeated("AttributeProto", 5),
      },
    },
    AttributeProto: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        ints: repeated("int64", 8),
        type: field("int32", 20),
      },
    },
    TensorProto: {
      fields: {
        dims: repeated("int64", 1),
        data_type: field("int32", 2),
        name: field("string", 8),
        raw_data: field("bytes", 9),
      },
    },
    ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
    TypeProto: { fields: { tensor_type: field("TensorTypeProto", 1) } },
    TensorTypeProto: {
      fields: { elem_type: field("int32", 1), shape: field("TensorShapeProto", 2) },
    },
    TensorShapeProto: { fields: { dim: repeated("DimensionProto", 1) } },
    DimensionProto: { fields: { dim_value: field("int64", 1), dim_param: field("string", 2) } },
  },
};

/** `TensorProto.DataType`. */
export const elementTypes = { float32: 1, int64: 7, bool: 9, float16: 10 } as const;
export type ElementType = keyof typeof elementTypes;

/** `AttributeProto.AttributeType`. */
export const attributeTypes = { float: 1, int: 2, ints: 7 } as const;

export interface TensorMessage {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data_type: number;
  readonly raw_data: Uint8Array;
}

export interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly ints?: readonly number[];
}

export interface NodeMessage {
  readonly name: string;
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeMessage[];
}

/** A dimension is a number, or the name of one that a call chooses. */
export interface ValueMessage {
  readonly name: string;
  readonly type: {
    readonly tensor_type: {
      readonly elem_type: number;
      readonly shape: {
        readonly dim: readonly ({ readonly dim_value: number } | { readonly dim_param: string })[];
      };
    };
  };
}

export interface GraphMessage {
  readonly name: string;
  readonly node: readonly NodeMessage[];
  readonly initializer: readonly TensorMessage[];
  readonly input: readonly ValueMessage[];
  readonly output: readonly ValueMessage[];
}

/** Readers of protobuf refuse longer messages. */
const largestMessage = 2 ** 31 - 1;

/** The bytes of an `.onnx` file: opset 17 of the standard operators, no others. */
export function encodeOnnx(graph: GraphMessage): Uint8Array {
  const weights = graph.initializer.reduce((sum, { raw_data }) => sum + raw_data.length, 0);
  if (weights > largestMessage) {
    const gigabytes = (weights / 2 ** 30).toFixed(1);
    throw new PupilError(`${gigabytes} GiB of weights do not fit into one ONNX file (2 GiB).`, {
      field: "dtype",
      remedy: "Export in float16, or a smaller model.",
    });
  }
  const model = protobuf.Root.fromJSON(descriptor).lookupType("ModelProto");
  const message = {
    ir_version: 8,
    producer_name: "pupil",
    opset_import: [{ domain: "", version: 17 }],
    graph,
  };
  return model.encode(message).finish();
}
