import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunConfig } from "../../../../../src/config/index.js";
import {
  loadOwnComponents,
  parseRunConfig,
  resolveTraining,
} from "../../../../../src/node/index.js";
import { metricsOf, runToEnd, tinyConfig, weightsOf } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const renyi = "examples/custom-loss/renyi-divergence.ts";

/** A module with a loss of this name and of these options, in plain JavaScript. */
function lossModule(folder: string, name: string, options = ""): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(
    path,
    `import { z } from "${import.meta.resolve("zod")}";
    export const loss = {
      name: "${name}", summary: "", formula: "", reference: "", per: "token",
      needs: ["studentLogits"], config: z.strictObject({ ${options} }), properties: {},
      examples: [{}], evaluate: ({ studentLogits }) => studentLogits.square().mean(-1),
    };`,
  );
  return path;
}

function config(output: string, changes: object = {}): Promise<RunConfig> {
  const given = tinyConfig(output, {
    losses: [lossModule(output, "small-logits", "power: z.number().default(2)")],
    trainer: {
      ...{ type: "sft", steps: 4, batchSize: 4 },
      loss: [{ type: "cross-entropy" }, { type: "small-logits", weight: 0.5 }],
    },
    evaluation: { every: 0, rows: 4 },
    checkpoint: { every: 2 },
    ...changes,
  });
  return parseRunConfig(given, "run.json");
}

describe("a run with a loss of the user's own", () => {
  test("fills in its options, trains with it and logs it by its name", async () => {
    const run = await config(temporaryFolder());
    expect(run.trainer.loss[1]).toEqual({ type: "small-logits", weight: 0.5, power: 2 });
    await runToEnd(run);
    const [first] = metricsOf(run);
    expect(first).toMatchObject({ step: 1 });
    expect(JSON.stringify(first)).toContain('"terms.small-logits":');
  });

  test("continues exactly where it was stopped, from what its folder says", async () => {
    const folder = temporaryFolder();
    const whole = await config(folder, { name: "whole" });
    const parts = await config(folder, { name: "parts" });
    await runToEnd(whole);
    await runToEnd(parts, { stopAfter: 2 });
    const { config: resumed, path } = await resolveTraining(undefined, [
      `resume=${join(folder, "parts")}`,
      "trust=true",
    ]);
    expect(path).toBe(join(folder, "parts"));
    expect(resumed.losses).toEqual(parts.losses);
    await runToEnd(resumed, { resume: true });
    expect(weightsOf(parts, 4).equals(weightsOf(whole, 4))).toBe(true);
    expect(weightsOf(whole, 4).equals(weightsOf(whole, 2))).toBe(false);
    await expect(
      resolveTraining(undefined, [
        `resume=${path}`,
        "trust=true",
        `losses=${JSON.stringify([renyi])}`,
      ]),
    ).rejects.toThrow(/trainer\.loss\.1\.type is "small-logits"\. .*renyi-divergence/);
  });
});

describe("what can be wrong with the losses of a run is a clear error", () => {
  const trainer = (loss: object) => ({ trainer: { type: "sft", steps: 2, loss: [loss] } });
  const cases: [string, (folder: string) => object, RegExp][] = [
    [
      "a module that is not there",
      () => ({ losses: ["reny.ts"] }),
      /^run\.json: losses\.0: reny\.ts: The file of losses does not exist/,
    ],
    [
      "no list",
      () => ({ losses: renyi }),
      /^run\.json: losses is "examples.*", expected list\. Lists are written as in JSON: /,
    ],
    [
      "a module without a loss",
      (folder) => {
        writeFileSync(join(folder, "empty.mjs"), "export const x = 1;");
        return { losses: [join(folder, "empty.mjs")] };
      },
      /losses\.0: .*empty\.mjs: the file exports no loss definition\. .*It exports: x\./,
    ],
    [
      "the same module twice",
      () => ({ losses: [renyi, renyi] }),
      /losses\.1: .*"renyi-divergence" is the name of a loss of examples\/.*already\./,
    ],
    [
      "the name of a built-in loss",
      (folder) => ({ losses: [lossModule(folder, "reverse-kl")] }),
      /losses\.0: .*"reverse-kl" is the name of a built-in loss already\. Give it another name/,
    ],
    [
      "an option that a term of a config has itself",
      (folder) => ({ losses: [lossModule(folder, "heavy", "weight: z.number().default(1)")] }),
      /heavy\.mjs: export loss: config: "weight" cannot be an option\. .*rename it/,
    ],
    [
      "a loss that reads nothing",
      (folder) => {
        const path = lossModule(folder, "blind");
        const text = readFileSync(path, "utf8").replace('["studentLogits"]', "[]");
        writeFileSync(path, text);
        return { losses: [path] };
      },
      /blind\.mjs: export loss: needs is \[\]: expected at least 1 entry\. Make it with defineLoss/,
    ],
    [
      "a loss that reads what there is not",
      (folder) => {
        const path = lossModule(folder, "odd");
        writeFileSync(path, readFileSync(path, "utf8").replace("studentLogits", "studentLogit"));
        return { losses: [path] };
      },
      /odd\.mjs: export loss: needs: there is no loss input "studentLogit"\. Did you mean "studentLogits"/,
    ],
    [
      "a misspelled name",
      () => ({ losses: [renyi], ...trainer({ type: "reny-divergence" }) }),
      /trainer\.loss\.0\.type is "reny-divergence"\. Did you mean "renyi-divergence"\?/,
    ],
    [
      "a misspelled option",
      () => ({ losses: [renyi], ...trainer({ type: "renyi-divergence", alfa: 2 }) }),
      /trainer\.loss\.0\.alfa is not a field\. Did you mean "alpha"\?/,
    ],
    [
      "its module left out",
      () => ({ losses: [], ...trainer({ type: "renyi-divergence" }) }),
      /trainer\.loss\.0\.type is "renyi-divergence"\. .*Allowed: cross-entropy/,
    ],
  ];

  test.each(cases)("%s", async (_title, changes, message) => {
    const folder = temporaryFolder();
    const given = tinyConfig(folder, changes(folder));
    await expect(parseRunConfig(given, "run.json")).rejects.toThrow(message);
  });

  test("an option outside its bounds, which only the loss knows", async () => {
    const given = tinyConfig(temporaryFolder(), {
      losses: [renyi],
      ...trainer({ type: "renyi-divergence", alpha: 1 }),
    });
    await expect(parseRunConfig(given, "run.json")).rejects.toThrow(
      /trainer\.loss\.0\.alpha is 1: is too near 1, where it is forward-kl\./,
    );
  });
});

test("several modules add up", async () => {
  const other = lossModule(temporaryFolder(), "other-loss");
  const names = (await loadOwnComponents({ losses: [renyi, other] })).losses.map(
    ({ name }) => name,
  );
  expect(names).toEqual(["renyi-divergence", "other-loss"]);
});
