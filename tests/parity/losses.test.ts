/**
 * Values and gradients against PyTorch in float64. The fixtures are made by scripts/fixtures/losses,
 * which write the formulas on their own; their inputs are asymmetric and their temperatures differ
 * from 1, so a swapped direction or a wrong factor shows.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../src/backend/index.js";
import { findLoss, lossDefinitions, runGoldenCase } from "../../src/losses/index.js";
import { nodePlatform } from "../../src/node/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { goldenCases, titledCases } from "../setup/losses/golden-fixtures.js";

/** Relative to the largest entry of a tensor; float32 itself leaves about a tenth of it. */
const tolerance = 1e-5;

describe.each(["cpu", "wasm"] as const)("against PyTorch on %s", (backend) => {
  beforeAll(async () => {
    await startBackend(backend, { platform: nodePlatform });
  });
  afterAll(useCpu);

  test.each(titledCases)("$title", async ({ golden }) => {
    const { worstError, where } = await runGoldenCase(findLoss(golden.loss), golden);
    expect(worstError, where).toBeLessThanOrEqual(tolerance);
  });
});

test.each(lossDefinitions)(
  "$name has at least two cases with gradients, one at a temperature other than 1 if it has one",
  ({ name, config }) => {
    const own = goldenCases.filter(({ loss }) => loss === name);
    const configs = new Set(own.map((golden) => JSON.stringify(golden.config)));
    expect(own.length).toBeGreaterThanOrEqual(2);
    expect(configs.size).toBeGreaterThanOrEqual(Object.keys(config.shape).length === 0 ? 1 : 2);
    for (const { expected } of own) {
      expect(Object.keys(expected.gradients ?? {}).length).toBeGreaterThanOrEqual(1);
    }
    if ("temperature" in config.shape) {
      expect(own.some(({ config: options = {} }) => "temperature" in options)).toBe(true);
    }
  },
);
