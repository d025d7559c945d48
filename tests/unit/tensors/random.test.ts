import { expect, test } from "vitest";
import { philox, Random } from "../../../src/tensors/index.js";

const hex = (words: number[]) => words.map((w) => w.toString(16).padStart(8, "0")).join(" ");

test("philox4x32-10 gives the known answers of Random123", () => {
  expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  const ones = 0xffffffff;
  expect(hex(philox([ones, ones, ones, ones], [ones, ones]))).toBe(
    "408f276d 41c83b0e a20bc7c6 6d5451fd",
  );
  expect(
    hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])),
  ).toBe("d16cfe09 94fdcceb 5001e420 24126ea1");
});

test("a stream depends on its path only", () => {
  const draw = (random: Random) => Array.from({ length: 9 }, () => random.nextUint32());
  const root = new Random(7);
  const first = draw(root.stream("rollout", 3, 1));
  root.nextUint32();
  expect(draw(root.stream("rollout", 3, 1))).toEqual(first);
  expect(draw(root.stream("rollout", 3).stream(1))).toEqual(first);
  for (const other of [root.stream("rollout", 1, 3), root.stream("shuffle", 3, 1), new Random(8)]) {
    expect(draw(other)).not.toEqual(first);
  }
});

test("uniform, normal and integer have the right moments", () => {
  const random = new Random(1);
  const n = 20_000;
  const normals = Array.from({ length: n }, () => random.normal());
  const mean = normals.reduce((a, b) => a + b) / n;
  const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n));
  expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < n; i++) counts[random.integer(7)]! += 1;
  for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(4 * Math.sqrt(n / 7));
});

test("a permutation holds every index once", () => {
  const order = new Random(5).permutation(100);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
});
