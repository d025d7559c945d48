/**
 * Two guards for every test: a tensor that is still alive at the end of the test that made it fails
 * that test, with the line that made it; so does anything printed to the console.
 */
import { afterEach, beforeEach, expect } from "vitest";
import { useCpu } from "./backend.js";
import { liveTensors, tensorIds } from "./live-tensors.js";

Error.stackTraceLimit = 40;
await useCpu();

let idsBefore = new Set<number>();
const printed: string[] = [];
const consoleMethods = ["log", "info", "warn", "error", "debug"] as const;
const original = Object.fromEntries(consoleMethods.map((m) => [m, console[m]]));

beforeEach(() => {
  idsBefore = tensorIds();
  printed.length = 0;
  for (const method of consoleMethods) {
    console[method] = (...args: unknown[]) => {
      printed.push(`console.${method}: ${args.map(String).join(" ")}`);
    };
  }
});

afterEach(() => {
  Object.assign(console, original);
  const leaks = liveTensors(idsBefore);
  const messages = [...printed];
  expect(leaks, "tensors leaked by this test").toEqual([]);
  expect(messages, "printed by this test").toEqual([]);
});
