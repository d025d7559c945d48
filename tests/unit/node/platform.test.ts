import { describe, expect, test } from "vitest";
import { nodePlatform } from "../../../src/node/platform.js";

test("names Node, its CPU and its cores", () => {
  expect(nodePlatform.runtime).toBe(`Node ${process.version}`);
  expect(nodePlatform.cpu.model).not.toBe("");
  expect(nodePlatform.cpu.cores).toBeGreaterThanOrEqual(1);
});

test("knows the versions of installed packages only", () => {
  expect(nodePlatform.packageVersion("@tensorflow/tfjs-core")).toMatch(/^4\./);
  expect(nodePlatform.packageVersion("@tensorflow/tfjs-not-there")).toBeUndefined();
});

describe("importOptional", () => {
  test("gives undefined for a package that is not installed", async () => {
    expect(await nodePlatform.importOptional?.("@tensorflow/tfjs-not-there")).toBeUndefined();
  });

  test("gives the package that is", async () => {
    expect(await nodePlatform.importOptional?.("zod")).toHaveProperty("z");
  });
});
