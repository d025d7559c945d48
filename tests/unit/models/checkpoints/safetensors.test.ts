import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensorsHeader,
  type TensorValues,
} from "../../../../src/models/index.js";
import { Random } from "../../../../src/tensors/index.js";

type Tensors = Map<string, TensorValues>;

/** A file from a header, written as given, and a number of data bytes. */
function file(header: unknown, numDataBytes: number, claimedLength?: number): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + numDataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimedLength ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function errorOf(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes, "model.safetensors");
  } catch (error) {
    if (error instanceof PupilError) return error.message;
    throw error;
  }
  throw new Error("No error.");
}

/** Random names, shapes (scalars and empty tensors among them) and float32 bit patterns. */
function randomTensors(random: Random, isHalf: boolean): Tensors {
  const names = ["0", "7", "a.weight", 'quote " \\ {', "ключ", "__proto__", "x:y", "h.10.bias"];
  const order = random.permutation(names.length).slice(0, random.integer(names.length + 1));
  const tensors: Tensors = new Map();
  for (const index of order) {
    const shape = Array.from({ length: random.integer(4) }, () => random.integer(4));
    const size = shape.reduce((a, b) => a * b, 1);
    const data = isHalf
      ? Float32Array.from({ length: size }, () => (random.integer(4095) - 2047) * 2 ** -10)
      : new Float32Array(Uint32Array.from({ length: size }, () => random.nextUint32()).buffer);
    tensors.set(names[index] as string, { shape, data });
  }
  return tensors;
}

test.each(["float32", "float16"] as const)("%s: random tensors survive the file", (dtype) => {
  for (let seed = 0; seed < 60; seed++) {
    const tensors = randomTensors(new Random(seed).stream(dtype), dtype === "float16");
    const bytes = encodeSafetensors(tensors, { dtype });
    const read = decodeSafetensors(bytes, "file");
    // JSON objects list names that look like integers first.
    expect([...read.keys()].toSorted(), `seed ${seed}`).toEqual([...tensors.keys()].toSorted());
    for (const [name, { shape, data }] of tensors) {
      const found = read.get(name);
      expect(found?.shape, `seed ${seed}`).toEqual(shape);
      expect(found?.dtype).toBe(dtype === "float32" ? "F32" : "F16");
      expect(found?.data, `seed ${seed}, ${name}`).toEqual(data);
    }
    expect(encodeSafetensors(tensors, { dtype })).toEqual(bytes);
  }
});

test("the layout is that of the format: length, padded JSON, data in order", () => {
  const tensors: Tensors = new Map([
    ["b", { shape: [2], data: Float32Array.of(1, -2) }],
    ["a", { shape: [], data: Float32Array.of(0.5) }],
  ]);
  const bytes = encodeSafetensors(tensors, { dtype: "float32", metadata: { format: "pt" } });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  expect(header.length - header.trimEnd().length).toBeLessThan(8);
  expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
    __metadata__: { format: "pt" },
    b: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    a: { dtype: "F32", shape: [], data_offsets: [8, 12] },
  });
  expect([...new Float32Array(bytes.slice(8 + length).buffer)]).toEqual([1, -2, 0.5]);
});

test("a part of a larger buffer at an odd offset is read, and what is read is a copy", () => {
  const tensors: Tensors = new Map([["a", { shape: [2], data: Float32Array.of(3, 4) }]]);
  const encoded = encodeSafetensors(tensors, { dtype: "float32" });
  const large = Buffer.alloc(encoded.length + 9);
  large.set(encoded, 3);
  const read = decodeSafetensors(large.subarray(3, 3 + encoded.length), "file");
  large.fill(0);
  expect([...read.get("a")!.data]).toEqual([3, 4]);
});

test("BF16 is widened exactly", () => {
  const bytes = file({ a: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } }, 4);
  bytes.set([0x80, 0x3f, 0x49, 0xc0], bytes.length - 4);
  const tensor = decodeSafetensors(bytes, "file").get("a");
  expect(tensor).toMatchObject({ dtype: "BF16", shape: [2] });
  expect([...tensor!.data]).toEqual([1, -3.140625]);
});

test("bfloat16 is written to the nearest, and what it cannot hold is refused", () => {
  const save = (...values: number[]) =>
    encodeSafetensors(
      new Map([["w", { shape: [values.length], data: Float32Array.from(values) }]]),
      { dtype: "bfloat16" },
    );
  const tensor = decodeSafetensors(save(1, -3.140625, 1.001, 70000, Infinity), "file").get("w");
  expect(tensor?.dtype).toBe("BF16");
  expect([...tensor!.data]).toEqual([1, -3.140625, 1, 70144, Infinity]);
  expect(() => save(3.4e38)).toThrow(
    /tensor "w": 3.39.*e\+38 at index 0 is too large for bfloat16/,
  );
});

test("a finite value that float16 cannot hold is refused, infinity and NaN are kept", () => {
  const save = (...values: number[]) =>
    encodeSafetensors(
      new Map([["w", { shape: [values.length], data: Float32Array.from(values) }]]),
      { dtype: "float16" },
    );
  expect(() => save(1, 70000)).toThrow(/tensor "w": 70000 at index 1 is too large.*float32/);
  const kept = decodeSafetensors(save(Infinity, -Infinity, Number.NaN, 65504), "file");
  expect([...kept.get("w")!.data]).toEqual([Infinity, -Infinity, Number.NaN, 65504]);
});

test("data that does not fill its shape is a programming error", () => {
  const tensors: Tensors = new Map([["w", { shape: [2, 2], data: new Float32Array(3) }]]);
  expect(() => encodeSafetensors(tensors, { dtype: "float32" })).toThrow(/needs 4 values, got 3/);
});

describe("a damaged file is one clear sentence", () => {
  const entry = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
    dtype: "F32",
    shape,
    data_offsets: [begin, end],
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["empty", new Uint8Array(0), /at least 8 bytes, this one has 0/],
    ["seven bytes", new Uint8Array(7), /at least 8 bytes, this one has 7/],
    ["a header of no bytes", new Uint8Array(8), /header does not begin with \{/],
    ["header length beyond the file", file({}, 0, 500), /said to have 500 bytes, but only 2/],
    ["header length of 2^63", file({}, 0, 2 ** 63), /said to have 9223372036854775808 bytes/],
    ["a header that is text", file('["a"]', 0), /header does not begin with \{/],
    ["a header after a space", file(' {"a":1}', 4), /header does not begin with \{/],
    [
      "a shape whose product wraps to 4 in 64 bits",
      file({ a: entry(0, 4, [4194305, 4194305, 211106198978564]) }, 4),
      /tensor "a": F32 \[4194305, .*\] needs .* bytes, data_offsets \[0, 4\] give 4/,
    ],
    ["a shape beyond its data", file({ a: entry(0, 4, [1000000]) }, 4), /needs 4000000 bytes/],
    ["offsets below 0", file({ a: entry(-4, 0, [1]) }, 4), /is not a pair of byte offsets/],
    ["an end before its begin", file({ a: entry(8, 4, [1]) }, 8), /\[8, 4\] lie outside/],
    [
      "one name with two meanings",
      file(
        '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        4,
      ),
      /has the name "a" twice/,
    ],
    [
      "__proto__ as a tensor without a type",
      file('{"__proto__":{"shape":[1]}}', 0),
      /tensor "__proto__": dtype/,
    ],
    [
      "what only a prototype has",
      file('{"a":{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}', 4),
      /tensor "a": dtype undefined is not supported/,
    ],
    [
      "a shape nested 20,000 deep",
      file(
        `{"a":{"dtype":"F32","shape":${"[".repeat(20_000)}${"]".repeat(20_000)},"data_offsets":[0,4]}}`,
        4,
      ),
      /shape \[\[\[\["\.\.\."\]/,
    ],
    ["the first bytes of such a pointer", new TextEncoder().encode("version "), /git lfs pull/],
    [
      "a pointer of Git LFS",
      new TextEncoder().encode(
        "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 5\n",
      ),
      /This is a pointer of Git LFS .*: git lfs pull\./,
    ],
    ["bad JSON", file('{"a": ', 4), /header is not valid JSON/],
    ["JSON cut by a short length", file({ a: entry(0, 4) }, 4, 10), /header is not valid JSON/],
    ["not UTF-8", file("{}", 0).fill(0xff, 8), /not valid UTF-8/],
    ["an array", file([], 0), /header does not begin with \{/],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }, 0), /__metadata__ must map/],
    ...["text", ["a"], null, 3].map((metadata): [string, Uint8Array, RegExp] => [
      `metadata that is ${JSON.stringify(metadata)}`,
      file({ __metadata__: metadata }, 0),
      /__metadata__ must map/,
    ]),
    ["tensor that is null", file({ a: null }, 0), /tensor "a": dtype undefined is not supported/],
    [
      "unknown dtype",
      file({ a: { dtype: "F8_E5M2", shape: [4], data_offsets: [0, 4] } }, 4),
      /tensor "a": dtype "F8_E5M2" is not supported\. Allowed: F32, F16, BF16/,
    ],
    [
      "dtype named like a method",
      file({ a: { dtype: "toString", shape: [4], data_offsets: [0, 4] } }, 4),
      /dtype "toString" is not supported/,
    ],
    [
      "negative size",
      file({ a: entry(0, 4, [-1]) }, 4),
      /tensor "a": shape \[-1\] is not a list of sizes/,
    ],
    ["shape no list", file({ a: { ...entry(0, 4), shape: 1 } }, 4), /shape 1 is not a list/],
    [
      "offsets no pair",
      file({ a: { ...entry(0, 4), data_offsets: [0] } }, 4),
      /data_offsets \[0\] is not a pair/,
    ],
    [
      "fractional offsets",
      file({ a: { ...entry(0, 4), data_offsets: [0.5, 4] } }, 4),
      /data_offsets \[0.5,4\] is not a pair/,
    ],
    ["offsets reversed", file({ a: entry(4, 0, [1]) }, 4), /\[4, 0\] lie outside/],
    [
      "offsets beyond the data",
      file({ a: entry(0, 8) }, 4),
      /tensor "a": data_offsets \[0, 8\] lie outside the file's 4 data bytes/,
    ],
    [
      "a shape that claims terabytes",
      file({ a: entry(0, 4, [1e6, 1e6]) }, 4),
      /F32 \[1000000, 1000000\] needs 4000000000000 bytes, data_offsets \[0, 4\] give 4/,
    ],
    [
      "a shape beyond exact integers",
      file({ a: entry(0, 4, [1e15, 1e15, 1e15]) }, 4),
      /needs 4\.0*4e\+45 bytes/,
    ],
    [
      "overlap",
      file({ a: entry(0, 8), b: entry(4, 12) }, 12),
      /tensor "b": data_offsets \[4, 12\] overlap those of "a", which end at 8/,
    ],
    ["same bytes twice", file({ a: entry(0, 4), b: entry(0, 4) }, 4), /"b": .* overlap/],
    [
      "gap",
      file({ a: entry(0, 4), b: entry(8, 12) }, 12),
      /tensor "b": data_offsets \[8, 12\] leave a gap of 4 bytes/,
    ],
    ["bytes left over", file({ a: entry(0, 4) }, 7), /3 bytes after the last tensor/],
    [
      "duplicate name",
      file(`{"a":${JSON.stringify(entry(0, 4))}, "\\u0061" :${JSON.stringify(entry(4, 8))}}`, 8),
      /has the name "a" twice/,
    ],
    [
      "duplicate key in an entry",
      file('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4),
      /has the name "shape" twice/,
    ],
  ])("%s", (_name, bytes, message) => {
    const error = errorOf(bytes);
    expect(error).toMatch(message);
    expect(error).toMatch(/^model\.safetensors: /);
  });

  test("cut anywhere, or with any header byte changed, it is refused or read whole", () => {
    const whole = encodeSafetensors(
      new Map([
        ["layer.weight", { shape: [2, 3], data: new Float32Array(6).fill(1) }],
        ["layer.bias", { shape: [2], data: new Float32Array(2) }],
      ]),
      { dtype: "float32" },
    );
    for (let length = 0; length < whole.length; length++) {
      expect(errorOf(whole.subarray(0, length))).toMatch(/^model\.safetensors: /);
    }
    const random = new Random(9);
    const dataStart = whole.length - 32;
    for (let i = 0; i < 2000; i++) {
      const damaged = whole.slice();
      damaged[random.integer(dataStart)] = random.integer(256);
      try {
        const read = decodeSafetensors(damaged, "damaged");
        const numValues = [...read.values()].reduce((sum, { data }) => sum + data.length, 0);
        // Changed names, shapes of the same size, or a 16-bit dtype would not fit: all 32 bytes.
        expect(numValues).toBe(8);
      } catch (error) {
        if (!(error instanceof PupilError)) throw error;
      }
    }
  });
});

test("tensors without elements may begin where another does, and share nothing", () => {
  const empty = { dtype: "F32", shape: [0, 7], data_offsets: [4, 4] };
  const one = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  const read = decodeSafetensors(file({ a: one, b: empty, c: empty }, 4), "f");
  expect([...read].map(([name, { data }]) => [name, data.length])).toEqual([
    ["a", 1],
    ["b", 0],
    ["c", 0],
  ]);
});

test("a header of more than 100 MB is refused by its length", () => {
  const start = file({}, 0, 100_000_001);
  expect(() => readSafetensorsHeader(start, "big", 2e8)).toThrow(
    /big: The header has 100000001 bytes; the format allows 100,000,000/,
  );
});
