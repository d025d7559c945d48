import { join } from "node:path";
import { expect } from "vitest";
import {
  differingParts,
  remainsOf,
  runUntil,
  tinyConfig,
} from "../../../../scripts/faults/tiny-runs.js";
import type { RunEvent } from "../../../../src/node/index.js";

/**
 * Stops a run when it has reported some of its events, resumes it, and compares what it leaves with what
 * one leaves that was not stopped.
 *
 * @param chosen indices of the events at which it is stopped, each time anew
 */
export async function compareStoppedRuns(
  folder: string,
  chosen: (events: readonly RunEvent[]) => readonly number[],
): Promise<void> {
  const whole = tinyConfig(join(folder, "whole"));
  const events = await runUntil(whole, false);
  const expected = remainsOf(whole);
  // It diverges, so that warnings are among the rows.
  expect(events.filter(({ type }) => type === "warning").length).toBeGreaterThan(0);
  expect(expected.summary).toMatchObject({ steps: 5, diverged: true, initial: {} });
  const indices = chosen(events);
  expect(indices.length).toBeGreaterThan(0);
  for (const index of indices) {
    const config = tinyConfig(join(folder, `stopped-${index}`));
    let taken = 0;
    await runUntil(config, false, () => taken++ === index);
    await runUntil(config, true);
    expect(differingParts(remainsOf(config), expected), `stopped at event ${index}`).toEqual([]);
  }
}
