import { join } from "node:path";
import { expect } from "vitest";
import { startBackend } from "../../../src/backend/index.js";
import { nodePlatform } from "../../../src/node/index.js";
import { useCpu } from "../backends/backend.js";
import { completionsOf, expectNear, runKinds } from "./run-kinds.js";
import { metricsOf, runToEnd, tinyRun, weightsOf } from "./runs.js";
import { temporaryFolder } from "../temporary-folder.js";
import { saveTinyTeacher } from "../models/tiny-teacher.js";

/**
 * Holds a run of a kind on the backend that `use` makes the current one to the same run on the CPU engine, and one that is
 * stopped and resumed there to a whole one, to the bit: the backend has to add up in one order every time.
 */
export async function expectAsOnWasm(kind: string, use: () => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  await useCpu();
  const from = await saveTinyTeacher(folder);
  await startBackend("wasm", { platform: nodePlatform });
  const checkpoint = { every: 2 };
  const own = await (runKinds[kind] as (typeof runKinds)[string])(from, folder);
  const changes = { checkpoint, ...own };
  const onWasm = tinyRun(join(folder, "wasm"), changes);
  await runToEnd(onWasm);

  await use();
  const whole = tinyRun(join(folder, "whole"), changes);
  const parts = tinyRun(join(folder, "parts"), changes);
  await runToEnd(whole);
  expectNear(metricsOf(whole), metricsOf(onWasm), kind);
  if ((whole.evaluation.every ?? 0) > 0 && kind !== "rank") {
    expect(completionsOf(whole)).toBe(completionsOf(onWasm));
  }

  const last = whole.trainer.steps;
  await runToEnd(parts, { stopAfter: last / 2 });
  const [resumed] = await runToEnd(parts, { resume: true });
  expect(resumed).toMatchObject({ type: "resumed", step: last / 2 });
  expect(metricsOf(parts)).toEqual(metricsOf(whole));
  // An adapter is saved without the weights below it.
  if (kind !== "distill of an adapter") {
    expect(weightsOf(parts, last).equals(weightsOf(whole, last))).toBe(true);
  }
}
