import { expect, test } from "vitest";
import { mergedFor, type Place, programFor } from "../../../src/backend/webgpu/array-places.js";
import type { GpuProgram } from "../../../src/ops/index.js";

const numbers: GpuProgram = {
  ...{ name: "numbers", params: [], reads: ["a: f32", "b: f32"], writes: ["y: f32"] },
  code: "y[i] = a[i] + b[i];",
};
const vectors: GpuProgram = {
  ...{ ...numbers, name: "vectors", reads: ["a: vec4<f32>", "b: vec4<f32>"], otherwise: numbers },
  code: "y[i] = a[i / 4u][i % 4u] + b[i / 4u][i % 4u];",
};

const buffers = { one: { size: 4096 }, other: { size: 4096 } } as unknown as Record<
  "one" | "other",
  GPUBuffer
>;
const at = (buffer: keyof typeof buffers, offset: number): Place => ({
  buffer: buffers[buffer],
  offset,
});

test.each([
  ["apart", [at("one", 0), at("one", 256), at("other", 0)], "vectors"],
  ["an output in their buffer", [at("one", 0), at("other", 0), at("one", 512)], "numbers"],
  ["one that begins within a vector", [at("one", 0), at("one", 264), at("other", 0)], "numbers"],
] as const)("vectors that lie so: %s", (_, places, taken) => {
  expect(programFor(vectors, places).name).toBe(taken);
  expect(programFor(numbers, places).name).toBe("numbers");
});

test("bases of merged arrays count in elements", () => {
  const places = [at("one", 512), at("one", 256), at("other", 0)];
  const of = (program: GpuProgram) => mergedFor(program, places, [64, 64, 64], 4096);
  expect(of(numbers)?.bases).toEqual([128, 64]);
  expect(of(vectors)?.bases).toEqual([32, 16]);
  expect(of(vectors)?.program.code).toBe(
    "y[i] = merged0[p.base_a + u32(i / 4u)][i % 4u] + merged0[p.base_b + u32(i / 4u)][i % 4u];",
  );
});
