import { expect, test } from "vitest";
import {
  canReadHalves,
  type GpuProgram,
  readingHalves,
  shaderSource,
} from "../../../src/ops/index.js";

const program = (code: string, reads = ["weight: f32", "ids: i32", "w: f32"]): GpuProgram => ({
  ...{ name: "some", params: ["width: u32"], reads, writes: ["y: f32"], code },
});

test("numbers of arrays with two to a word are taken out of it, wherever they are read", () => {
  const code = "fn main() { y[0] = weight[u32(ids[i]) * p.width + i] * w[i] + weight[u32(w[2])]; }";
  const given = program(code);
  const half = readingHalves(given, [0, 2]);
  expect(half.reads).toEqual(["weight: u32", "ids: i32", "w: u32"]);
  expect(half.code).toContain(
    "y[0] = entry_of_weight(u32(u32(ids[i]) * p.width + i)) * entry_of_w(u32(i)) + entry_of_weight(u32(u32(entry_of_w(u32(2)))));",
  );
  expect(half.code).toContain(
    "fn entry_of_w(i: u32) -> f32 { return unpack2x16float(w[i >> 1u] >> ((i & 1u) << 4u)).x; }",
  );
  expect(shaderSource(half)).toContain("var<storage, read> weight: array<u32>;");
  expect(readingHalves(given, [0, 2])).toBe(half);
  expect(readingHalves(given, [0]).reads).toEqual(["weight: u32", "ids: i32", "w: f32"]);
  expect(readingHalves(given, [])).toBe(given);
});

test("fours are taken out of two words", () => {
  const half = readingHalves(
    program("fn main() { y[0] = dot(x[1], x[2]); }", ["x: vec4<f32>"]),
    [0],
  );
  expect(half.reads).toEqual(["x: u32"]);
  expect(half.code).toContain("vec4f(unpack2x16float(x[2u * i]), unpack2x16float(x[2u * i + 1u]))");
  expect(half.code).toContain("dot(entry_of_x(u32(1)), entry_of_x(u32(2)))");
});

test("what a shader has more of than entries is not read so", () => {
  const can = (code: string, reads?: string[]) => canReadHalves(program(code, reads), 0);
  expect(can("y[0] = weight[1] + p.weight;")).toBe(true);
  expect(can("y[0] = weight[1] + weights;")).toBe(true);
  expect(can("y[0] = f32(arrayLength(&weight));")).toBe(false);
  expect(can("load(&weight[0]);")).toBe(false);
  expect(can("let weight = 1.0;")).toBe(false);
  expect(can("y[0] = weight[1];", ["weight: i32"])).toBe(false);
});
