import { expect, test } from "vitest";
import { splitArrays } from "../../../src/ops/index.js";

const code = `fn main() {
  let i = ids[at];
  y[i] = x[2u * u32(ids[i])] + y[i + 1u];
  y[i] += x[0];
  if (x[i] == y[0]) { y[1]=1.0; }
  let w = table[i >> 2u][i & 3u];
}`;
const program = {
  ...{ name: "some", params: ["size: u32"], writes: ["y: f32"], code },
  reads: ["x: f32", "ids: i32", "table: vec4<f32>"],
};

test("arrays in pieces are read and written through functions, the others as they were", () => {
  const split = splitArrays(program, [2, 1, 3, 2], 64);
  expect(split.reads).toEqual([
    ...["x_piece0: f32", "x_piece1: f32", "ids: i32"],
    ...["table_piece0: vec4<f32>", "table_piece1: vec4<f32>", "table_piece2: vec4<f32>"],
  ]);
  expect(split.writes).toEqual(["y_piece0: f32", "y_piece1: f32"]);
  expect(split.code).toContain("let i = ids[at];");
  expect(split.code).toContain(
    "write_y(u32(i), read_x(u32(2u * u32(ids[i]))) + read_y(u32(i + 1u)));",
  );
  expect(split.code).toContain("write_y(u32(i), read_y(u32(i)) + (read_x(u32(0))));");
  expect(split.code).toContain("if (read_x(u32(i)) == read_y(u32(0))) { write_y(u32(1), 1.0); }");
  expect(split.code).toContain("read_table(u32(i >> 2u))[i & 3u]");
  // 64 words are 16 vectors of four.
  expect(split.code).toContain("if (at < 32u) { return table_piece1[at - 16u]; }");
  expect(split.code).toContain("return table_piece2[at - 32u];");
  expect(split.code).not.toContain("fn write_x");
});

test("the same pieces are the same program", () => {
  const first = splitArrays(program, [1, 1, 1, 2], 64);
  expect(splitArrays(program, [1, 1, 1, 2], 64)).toBe(first);
  expect(splitArrays(program, [1, 1, 1, 3], 64).name).not.toBe(first.name);
});
