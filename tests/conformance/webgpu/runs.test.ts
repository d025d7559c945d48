/** Whole runs on WebGPU: every trainer against the same run on the CPU engine, stopped and resumed against a whole one. */
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { startBackend } from "../../../src/backend/index.js";
import { nodePlatform } from "../../../src/node/index.js";
import { useCpu } from "../../setup/backend.js";
import { completionsOf, expectNear, runKinds } from "../../setup/run-kinds.js";
import { metricsOf, runToEnd, tinyRun, weightsOf } from "../../setup/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../setup/tiny-teacher.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/webgpu.js";

describe.skipIf(!hasVulkan)(`runs on ${onWebGpu}`, () => {
  afterEach(useCpu);
  afterAll(useCpu);

  test.each(Object.keys(runKinds))("%s: as on wasm, and resumed as whole", async (kind) => {
    const folder = temporaryFolder();
    await useCpu();
    const from = await saveTinyTeacher(folder);
    await startBackend("wasm", { platform: nodePlatform });
    const checkpoint = { every: 2 };
    const own = await (runKinds[kind] as (typeof runKinds)[string])(from, folder);
    const changes = { checkpoint, ...own };
    const onWasm = tinyRun(join(folder, "wasm"), changes);
    await runToEnd(onWasm);

    await useWebGpu();
    const whole = tinyRun(join(folder, "whole"), changes);
    const parts = tinyRun(join(folder, "parts"), changes);
    await runToEnd(whole);
    expectNear(metricsOf(whole), metricsOf(onWasm), kind);
    if ((whole.evaluation.every ?? 0) > 0 && kind !== "rank") {
      expect(completionsOf(whole)).toBe(completionsOf(onWasm));
    }

    // The adapter in software adds up in one order every time.
    const last = whole.trainer.steps;
    await runToEnd(parts, { stopAfter: last / 2 });
    const [resumed] = await runToEnd(parts, { resume: true });
    expect(resumed).toMatchObject({ type: "resumed", step: last / 2 });
    expect(metricsOf(parts)).toEqual(metricsOf(whole));
    // An adapter is saved without the weights below it.
    if (kind !== "distill of an adapter") {
      expect(weightsOf(parts, last).equals(weightsOf(whole, last))).toBe(true);
    }
  });
});
