/**
 * Values and gradients against PyTorch in float64. The fixtures are made by scripts/fixtures/losses,
 * which write the formulas on their own; their inputs are asymmetric and their temperatures differ
 * from 1, so a swapped direction or a wrong factor shows.
 */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../src/backend/index.js";
import {
  findLoss,
  type GoldenCase,
  lossDefinitions,
  runGoldenCase,
} from "../../src/losses/index.js";
import { nodePlatform } from "../../src/node/index.js";
import { useCpu } from "../setup/backend.js";

/** Relative to the largest entry of a tensor; float32 itself leaves about a tenth of it. */
const tolerance = 1e-5;
const folder = new URL("./fixtures/losses/", import.meta.url);
const cases = readdirSync(folder).flatMap((file) => {
  const fixture = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as {
    cases: GoldenCase[];
  };
  return fixture.cases;
});

const titled = cases.map((golden, i) => ({
  title: `${golden.loss} ${JSON.stringify(golden.config)} (${i})`,
  golden,
}));

describe.each(["cpu", "wasm"] as const)("against PyTorch on %s", (backend) => {
  beforeAll(async () => {
    await startBackend(backend, { platform: nodePlatform });
  });
  afterAll(useCpu);

  test.each(titled)("$title", async ({ golden }) => {
    const { worstError, where } = await runGoldenCase(findLoss(golden.loss), golden);
    expect(worstError, where).toBeLessThanOrEqual(tolerance);
  });
});

test.each(lossDefinitions)(
  "$name has at least two cases with gradients, one at a temperature other than 1 if it has one",
  ({ name, config }) => {
    const own = cases.filter(({ loss }) => loss === name);
    const configs = new Set(own.map((golden) => JSON.stringify(golden.config)));
    expect(configs.size).toBeGreaterThanOrEqual(2);
    for (const { expected } of own) {
      expect(Object.keys(expected.gradients ?? {}).length).toBeGreaterThanOrEqual(1);
    }
    if ("temperature" in config.shape) {
      expect(own.some(({ config: options = {} }) => "temperature" in options)).toBe(true);
    }
  },
);
