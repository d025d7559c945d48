import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildRun, trainRun } from "../../../../../src/node/index.js";
import { PupilError } from "../../../../../src/errors/index.js";
import { tinyConfig } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

async function errorOf(work: () => Promise<unknown>): Promise<PupilError> {
  const error = await work().then(
    () => new Error("It was accepted."),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PupilError);
  return error as PupilError;
}

const config = tinyConfig("runs");
test.each<[string, unknown, RegExp]>([
  ["nothing", undefined, /^trainRun: is missing\. Use: trainRun\(\{ config, path/],
  ["a path", "run.json", /^trainRun: is "run\.json", not an object/],
  ["no path", { config }, /^trainRun: path: is missing\. Name the folder/],
  ["a path that is none", { config, path: 3 }, /^trainRun: path: is no text/],
  ["no config", { path: "nowhere" }, /^trainRun: config: is missing\. Give it what a config file/],
  [
    "a config's name",
    { path: "nowhere", config: "run.json" },
    /config: is "run\.json", not an obj/,
  ],
  ["an empty config", { path: "nowhere", config: {} }, /^trainRun: config: \d problems:\n.*name/],
  [
    "a config with a mistake",
    { path: "nowhere", config: tinyConfig("runs", { seed: "one" }) },
    /^trainRun: config: seed is "one", expected number/,
  ],
])("trainRun is told what it needs: %s", async (_what, options, message) => {
  const error = await errorOf(() => trainRun(options as never).next());
  expect(error.message).toMatch(message);
  expect(existsSync("nowhere")).toBe(false);
});

test.each<[string, unknown[], RegExp]>([
  ["nothing", [], /^buildRun: config: is missing/],
  ["a list", [[config]], /^buildRun: config: is \[.*, not an object/],
  ["no trainer", [{ ...config, trainer: undefined }], /^buildRun: config: trainer/],
  ["a step", [config, 3], /^buildRun: checkpoint: is no text\. Name the folder/],
])("buildRun is told what it needs: %s", async (_what, given, message) => {
  const build = buildRun as (...words: unknown[]) => Promise<unknown>;
  expect((await errorOf(() => build(...given))).message).toMatch(message);
});

test("a config as a file has it is completed as one is", async () => {
  const output = temporaryFolder();
  const options = { config: tinyConfig(output), path: join(output, "tiny"), resume: false };
  const events: string[] = [];
  for await (const { type } of trainRun(options as never)) events.push(type);
  expect(events.at(-1)).toBe("finished");
  using parts = await buildRun(tinyConfig(output) as never, undefined);
  expect(parts.student.numParameters).toBeGreaterThan(0);
});
