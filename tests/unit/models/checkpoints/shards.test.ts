import { expect, test } from "vitest";
import {
  checkShards,
  parseShardIndex,
  planShards,
  type TensorValues,
} from "../../../../src/models/index.js";

const tensor = (size: number): TensorValues => ({ shape: [size], data: new Float32Array(size) });
const tensors = new Map([
  ["a", tensor(3)],
  ["b", tensor(1)],
  ["c", tensor(9)],
  ["d", tensor(2)],
]);

test("tensors go into files in their order, none is cut", () => {
  const { files, index } = planShards(tensors, { dtype: "float32", maxShardBytes: 16 });
  expect([...files].map(([file, shard]) => [file, [...shard.keys()]])).toEqual([
    ["model-00001-of-00003.safetensors", ["a", "b"]],
    ["model-00002-of-00003.safetensors", ["c"]],
    ["model-00003-of-00003.safetensors", ["d"]],
  ]);
  expect(index).toEqual({
    metadata: { total_parameters: 15, total_size: 60 },
    weight_map: {
      a: "model-00001-of-00003.safetensors",
      b: "model-00001-of-00003.safetensors",
      c: "model-00002-of-00003.safetensors",
      d: "model-00003-of-00003.safetensors",
    },
  });
});

test("a later file is filled to the byte, as the first is", () => {
  const words = ["a", "b", "c", "d"].map((name): [string, TensorValues] => [
    name,
    { shape: [2], data: new Float32Array(2) },
  ]);
  const { files } = planShards(new Map(words), { dtype: "float32", maxShardBytes: 16 });
  expect([...files.values()].map((shard) => [...shard.keys()])).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});

test("what fits into one file has no index; half precision needs half the room", () => {
  expect([...planShards(tensors, { dtype: "float32", maxShardBytes: 60 }).files.keys()]).toEqual([
    "model.safetensors",
  ]);
  const half = planShards(tensors, { dtype: "bfloat16", maxShardBytes: 30 });
  expect(half.index).toBeUndefined();
  expect(planShards(tensors, { dtype: "bfloat16", maxShardBytes: 29 }).files.size).toBe(2);
});

test.each([0, Number.NaN, -5])("a size of %f is refused", (maxShardBytes) => {
  expect(() => planShards(tensors, { dtype: "float32", maxShardBytes })).toThrow(
    /maxShardBytes: .*is no size of a file/,
  );
});

test.each([
  ["{", /index is not valid JSON/],
  ["{}", /no weight_map/],
  ["null", /no weight_map/],
  ['{"weight_map": ["a"]}', /no weight_map/],
  ['{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}', /the name "a" twice/],
  ['{"weight_map": {"a": 3}}', /tensor "a": 3 is no name/],
  ['{"weight_map": {"a": "../x.safetensors"}}', /"..\/x.safetensors" is no name of a safetensors/],
  ['{"weight_map": {"a": "model.bin"}}', /"model.bin" is no name/],
])("the index %s is refused", (text, message) => {
  expect(() => parseShardIndex(text, "index.json")).toThrow(message);
});

test("index and files must agree on every tensor, by name", () => {
  const fileOf = new Map([
    ["a", "1.safetensors"],
    ["b", "2.safetensors"],
  ]);
  const check = (first: string[], second: string[]) => () => {
    const entries = (names: string[]) => names.map((name) => ({ name }));
    checkShards(
      fileOf,
      new Map([
        ["1.safetensors", entries(first)],
        ["2.safetensors", entries(second)],
      ]),
      "index.json",
    );
  };
  check(["a"], ["b"])();
  expect(check(["a"], [])).toThrow(
    /tensor "b": The index says that it is in 2.safetensors, which lacks it\. Use/,
  );
  expect(check(["b"], ["a"])).toThrow(/tensor "a": .*which lacks it\. It is in 2.safetensors/);
  expect(check(["a", "b"], ["b"])).toThrow(/"b": It is in 1.safetensors and again in 2.safet/);
  expect(check(["a", "c"], ["b"])).toThrow(/"c": It is in 1.safetensors, but the index does not/);
});
