import { expect } from "vitest";

export interface Near {
  /** Of the number that is wanted. */
  readonly relative: number;
  /** What numbers below it are measured by. */
  readonly least: number;
}

/**
 * Numbers within rounding; all else, and which there are, equal. But for the share of padding: it says how long batches are, which
 * WebGPU rounds up.
 */
export function expectNear(found: unknown, wanted: unknown, at: string, near: Near): void {
  if (typeof wanted === "number") {
    const difference = Math.abs((found as number) - wanted);
    expect(difference, `${at}: ${String(found)}, ${wanted}`).toBeLessThanOrEqual(
      near.relative * Math.max(near.least, Math.abs(wanted)),
    );
    return;
  }
  if (typeof wanted !== "object" || wanted === null) {
    expect(found, at).toEqual(wanted);
    return;
  }
  expect(Object.keys(found as object), at).toEqual(Object.keys(wanted));
  for (const [key, value] of Object.entries(wanted)) {
    if (key === "paddingShare") continue;
    expectNear((found as Record<string, unknown>)[key], value, `${at}.${key}`, near);
  }
}
