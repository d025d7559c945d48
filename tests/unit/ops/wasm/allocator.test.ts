import { describe, expect, test } from "vitest";
import { Allocator, type Block } from "../../../../src/ops/kernels/wasm/engine/allocator.js";
import { Random } from "../../../../src/tensors/index.js";

describe("the allocator of the wasm memory", () => {
  test("hands out aligned blocks that never overlap, whatever is freed in between", () => {
    let end = 0;
    const allocator = new Allocator(1000, (needed) => {
      end = Math.max(end, needed);
    });
    const random = new Random(7);
    const live: { block: Block; bytes: number }[] = [];
    for (let i = 0; i < 3000; i++) {
      if (live.length > 0 && random.uniform() < 0.5) {
        const index = random.integer(live.length);
        allocator.release((live[index] as { block: Block }).block);
        live.splice(index, 1);
      } else {
        const bytes = random.integer(1 << (1 + random.integer(18)));
        live.push({ block: allocator.allocate(bytes), bytes });
      }
    }
    const ranges = live.map(({ block, bytes }) => [block.address, block.address + bytes] as const);
    ranges.sort((a, b) => a[0] - b[0]);
    for (const [i, [start, stop]] of ranges.entries()) {
      expect(start % 64).toBe(0);
      expect(start).toBeGreaterThanOrEqual(1000);
      expect(stop).toBeLessThanOrEqual(end);
      const next = ranges[i + 1];
      if (next) expect(stop).toBeLessThanOrEqual(next[0]);
    }
    for (const { block } of live) allocator.release(block);
    expect(allocator.bytesInUse).toBe(0);
    // Everything has merged into one block again: all of it can be had at once.
    const size = end - 1024;
    expect(allocator.allocate(size).address).toBe(1024);
    expect(end - 1024).toBe(size);
  });

  test("a block that became part of another holds nothing, whoever still holds it", () => {
    const allocator = new Allocator(0, () => {});
    const blocks = [64, 64, 64, 64].map((bytes) => allocator.allocate(bytes));
    const [first, second, third] = blocks as [Block, Block, Block];
    allocator.release(first);
    allocator.release(third);
    allocator.release(second);
    expect([first.size, first.after]).toEqual([192, blocks[3]]);
    for (const stale of [second, third]) {
      expect([stale.before, stale.after]).toEqual([undefined, undefined]);
    }
  });

  test("gives a freed size back at the same address", () => {
    const allocator = new Allocator(0, () => {});
    const first = allocator.allocate(1000);
    allocator.allocate(64);
    allocator.release(first);
    expect(allocator.allocate(1000).address).toBe(first.address);
  });

  test("keeps its books when the memory cannot grow", () => {
    const allocator = new Allocator(0, (end) => {
      if (end > 4096) throw new Error("full");
    });
    const block = allocator.allocate(4096);
    expect(() => allocator.allocate(1)).toThrow("full");
    expect(allocator.bytesInUse).toBe(4096);
    allocator.release(block);
    expect(allocator.allocate(4096).address).toBe(0);
  });
});
