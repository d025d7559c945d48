/** Values and gradients of the losses on TensorFlow's C library against PyTorch in float64, as `parity/losses.test.ts`. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findLoss, runGoldenCase } from "../../../src/losses/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { titledCases } from "../../setup/losses/golden-fixtures.js";
import { hasTensorflow, onTensorflow, useTensorflow } from "../../setup/backends/tensorflow.js";

/** Relative to the largest entry of a tensor. */
const tolerance = 1e-5;

describe.skipIf(!hasTensorflow)(`losses on ${onTensorflow}`, () => {
  beforeAll(useTensorflow);
  afterAll(useCpu);

  test.each(titledCases)("$title", async ({ golden }) => {
    const { worstError, where } = await runGoldenCase(findLoss(golden.loss), golden);
    expect(worstError, where).toBeLessThanOrEqual(tolerance);
  });
});
