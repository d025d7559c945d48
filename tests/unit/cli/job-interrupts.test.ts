import { expect, test } from "vitest";
import { jobInterrupts } from "../../../src/cli/terminal/job-interrupts.js";

/** Signals that a person sends reach the listener that came last. */
function send(name: "SIGINT" | "SIGTERM"): void {
  const listener = process.listeners(name).at(-1) as (name: string) => void;
  listener(name);
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("jobs of this machine are stopped by %s, with the exit code %i", (name, code) => {
  using interrupts = jobInterrupts(undefined, { hold: () => () => undefined });
  expect(interrupts.exitCode()).toBeUndefined();
  send(name);
  expect(interrupts.signal.aborted).toBe(true);
  expect(interrupts.exitCode()).toBe(code);
});
