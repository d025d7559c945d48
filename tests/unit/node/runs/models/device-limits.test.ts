import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { expect, onTestFinished, test, vi } from "vitest";
import { deviceLimits } from "../../../../../src/node/runs/models/device-limits.js";

/** The memory that a container is said to have. */
function container(bytes: number): void {
  const spy = vi.spyOn(process, "constrainedMemory").mockReturnValue(bytes);
  onTestFinished(() => spy.mockRestore());
}

const swap = () =>
  1024 * Number(/SwapTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);

test.skipIf(process.platform !== "linux")(
  "the memory of the machine and its swap, or of a container that has less",
  () => {
    const total = () => deviceLimits("tensorflow", {}).total;
    container(1000);
    expect(total()).toBe(1000 + swap());
    // What a system says that has no such limit.
    container(0);
    expect(total()).toBe(totalmem() + swap());
    container(2 ** 63);
    expect(total()).toBe(totalmem() + swap());
  },
);

test("where nobody knows how much is swapped, nothing is too much", () => {
  const { platform } = process;
  onTestFinished(() => void Object.defineProperty(process, "platform", { value: platform }));
  Object.defineProperty(process, "platform", { value: "darwin" });
  expect(deviceLimits("tensorflow", {}).total).toBeUndefined();
  expect(deviceLimits("wasm", {}).total).toBe(2 ** 32);
});

test("of the backend that computes now, unless it is another's", () => {
  // Plain JavaScript has what the machine has.
  expect(deviceLimits()).toEqual(deviceLimits("cpu", {}));
  expect(deviceLimits("wasm", {}, 2 ** 20)).toEqual({ total: 2 ** 20, tensor: undefined });
});
