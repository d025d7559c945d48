import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { nodePlatform } from "../../../src/node/platform.js";

const util = createRequire(import.meta.url)("node:util") as { isArray: unknown };

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

  test("leaves the process as it was unless it loads TensorFlow", async () => {
    const names = ["TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"];
    const before = { ...process.env };
    for (const name of names) delete process.env[name];
    const { isArray } = util;
    for (const name of ["@tensorflow/tfjs-not-there", "zod"]) {
      await nodePlatform.importOptional?.(name);
    }
    const set = names.filter((name) => name in process.env);
    for (const name of names) if (before[name] !== undefined) process.env[name] = before[name];
    expect(util.isArray).toBe(isArray);
    expect(set).toEqual([]);
  });
});
