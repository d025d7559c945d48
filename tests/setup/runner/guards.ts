/**
 * Guards, which run anew for every file. A tensor that is still alive at the end of the test that made it
 * fails that test, with the line that made it; so does anything printed to the console. A file that leaves
 * the process changed fails: the next one runs in it too.
 */
import { afterAll, afterEach, beforeEach, expect } from "vitest";
import { useCpu } from "../backends/backend.js";
import { liveTensors, tensorIds } from "./live-tensors.js";
import { changesSince, forgetEngine, processState } from "./process-state.js";

Error.stackTraceLimit = 40;
await useCpu();
forgetEngine();

const stateBefore = processState();
afterAll(() => {
  expect(changesSince(stateBefore), "left changed by this file").toEqual([]);
});

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
