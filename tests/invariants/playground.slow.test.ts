import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { presets } from "../../playground/src/training/presets.js";
import { textOf } from "../../playground/src/training/session.js";
import {
  configOf,
  type JsonObject,
  type Settings,
  withValue,
} from "../../playground/src/training/settings.js";
import { startBackend } from "../../src/backend/index.js";
import { parseConfig, runConfigSchema } from "../../src/config/index.js";
import { nodePlatform } from "../../src/node/index.js";
import { useCpu } from "../setup/backends/backend.js";
import { runToEnd, stepsOf, weightsOf } from "../setup/runs/runs.js";
import { testSession } from "../setup/pages/playground.js";
import { temporaryFolder } from "../setup/temporary-folder.js";

const steps = 3;

/** A few steps of little rows. */
function shortened(settings: Settings): Settings {
  let config = withValue(settings.config, "trainer.steps", steps);
  config = withValue(config, "trainer.batchSize", 4);
  config = withValue(config, "evaluation.rows", 3);
  return { ...settings, config: config as JsonObject };
}

/** The config of a student as a file for `pupil train`, with its text beside it. */
function runOf(settings: Settings, student: number) {
  const folder = temporaryFolder();
  const path = join(folder, "text.txt");
  writeFileSync(path, textOf(settings));
  let config = configOf(settings, student);
  for (const field of ["data.path", "teacher.path"]) {
    const [part = "", name = ""] = field.split(".");
    const holder = config[part] as JsonObject;
    if (holder[name] !== undefined) config = withValue(config, field, path) as JsonObject;
  }
  const backend = { backend: "wasm", output: join(folder, "runs") };
  return parseConfig(runConfigSchema, { ...config, ...backend }, "config");
}

const onPolicy = {
  ...presets.text.settings,
  config: withValue(presets.text.settings.config, "trainer.loss", [
    { type: "policy-gradient" },
    { type: "generalized-jsd", weight: 0.3, beta: 0.2 },
  ]) as JsonObject,
};
const fromItself: Settings = {
  config: {
    ...presets.addition.settings.config,
    teacher: { type: "self", emaDecay: 1 },
    trainer: {
      type: "distill",
      steps: 3,
      onPolicyFraction: 0.5,
      loss: [{ type: "cross-entropy" }, { type: "reverse-kl", weight: 0.1 }],
    },
  },
};
const cases: Record<string, Settings> = {
  "two modes": presets["two-modes"].settings,
  addition: presets.addition.settings,
  "a text, on policy": onPolicy,
  "the student before training": fromItself,
};

// Students and teacher of the page's own size: in plain JavaScript they take minutes.
beforeAll(() => startBackend("wasm", { platform: nodePlatform }));
afterAll(useCpu);

describe("the playground trains what pupil train does with its config", () => {
  test.each(Object.entries(cases))("%s", { timeout: 600_000 }, async (_name, full) => {
    const settings = shortened(full);
    const { session, ask, rows, of } = testSession();
    await using _session = session;
    await ask({ type: "configure", settings }, ...Array(steps).fill({ type: "step" }));
    const students = settings.second === undefined ? 1 : 2;
    for (let student = 0; student < students; student++) {
      const config = runOf(settings, student);
      await runToEnd(config);
      const expected = stepsOf(config).map(({ step, loss, gradNorm, tokens }) => ({
        step,
        loss,
        gradNorm,
        tokens,
      }));
      const found = rows().map(({ step, students: all }) => {
        const { loss, gradNorm, tokens } = all[student] as (typeof all)[number];
        return { step, loss, gradNorm, tokens };
      });
      // To the last bit: looking at the student between the steps changed nothing.
      expect(found).toEqual(expected);
      await ask({ type: "export", student });
      const files = unzipSync(of("exported").at(-1)?.bytes as Uint8Array);
      const weights = files["student/model.safetensors"];
      expect(Buffer.compare(Buffer.from(weights as Uint8Array), weightsOf(config, steps))).toBe(0);
    }
  });
});
