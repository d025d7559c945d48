import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PupilError } from "../../../../src/errors/index.js";
import { describeModule } from "../../../../src/node/modules/describe-module.js";
import { loadModule, loadModules } from "../../../../src/node/modules/load-modules.js";
import { lossModules, verifierModules } from "../../../../src/node/modules/module-kinds.js";
import {
  loadLosses,
  loadOwnComponents,
  parseRunConfig,
} from "../../../../src/node/modules/own-components.js";
import { tinyConfig } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const zod = import.meta.resolve("zod");

/** A file that exports these, in a folder of its own. */
function written(body: string, folder = temporaryFolder(), name = "mine.mjs"): string {
  const path = join(folder, name);
  writeFileSync(path, `import { z } from "${zod}";\nconst config = z.strictObject({});\n${body}`);
  return path;
}

const verifier = (name: string) => `{ name: "${name}", summary: "", config, verify: () => ({}) }`;
const bodies = {
  losses: `{ name: "own", summary: "", config, formula: "", reference: "", per: "token",
    needs: ["studentLogits"], properties: {}, examples: [], evaluate: () => 0 }`,
  rewards: `{ name: "own", summary: "", config, reference: "", needs: [], evaluate: () => 0 }`,
  tasks: `{ name: "own", summary: "", config: z.strictObject({ errorRate: z.number(), heldOutFraction: z.number() }),
    alphabet: () => "", generate: () => 0, splitOf: () => "", prompt: () => "", answer: () => "",
    oracle: () => "", verify: () => ({}) }`,
  verifiers: verifier("own"),
  teachers: `{ name: "own", summary: "", config, connect: () => 0 }`,
} as const;
const plurals = Object.keys(bodies) as (keyof typeof bodies)[];
const nothing = { losses: [], rewards: [], tasks: [], verifiers: [], teachers: [] };

describe("the lists of a config", () => {
  test.each(plurals)("%s lead to what their files export, and to nothing else", async (plural) => {
    const path = written(`export const mine = ${bodies[plural]};`);
    const own = await loadOwnComponents({ [plural]: [path] });
    expect(own).toEqual({ ...nothing, [plural]: [expect.objectContaining({ name: "own" })] });
    // What it is in another list, its file exports none of.
    for (const other of plurals) {
      if (other === plural) continue;
      const singular = { losses: "loss", rewards: "reward", tasks: "task", verifiers: "verifier" };
      const noun = { ...singular, teachers: "teacher" }[other];
      await expect(loadOwnComponents({ [other]: [path] }, "run.json"), other).rejects.toThrow(
        `run.json: ${other}.0: ${path}: the file exports no ${noun} definition. Export what define`,
      );
    }
    await expect(loadOwnComponents({ [plural]: ["none.mjs"] })).rejects.toThrow(
      `the run config: ${plural}.0: none.mjs: The file of ${plural} does not exist.`,
    );
  });

  test("that are none lead to nothing: their schema says what is wrong with them", async () => {
    for (const config of [undefined, null, 3, [], {}, { losses: 3, tasks: "x", teachers: [3] }]) {
      expect(await loadOwnComponents(config)).toEqual(nothing);
    }
    // One that is wrong does not take the others with it.
    const path = written(`export const mine = ${bodies.verifiers};`);
    const { verifiers } = await loadOwnComponents({ losses: [3], verifiers: [path] });
    expect(verifiers).toHaveLength(1);
  });

  test("say whose name is taken, and where", async () => {
    const folder = temporaryFolder();
    const one = written(`export const a = ${verifier("one")};`, folder, "one.mjs");
    const two = written(
      `export const a = ${verifier("two")}; export const b = ${verifier("one")};`,
      ...([folder, "two.mjs"] as const),
    );
    const names = (await loadModules(verifierModules, [one])).map(({ name }) => name);
    expect(names).toEqual(["one"]);
    const error = await loadModules(verifierModules, [one, two]).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PupilError);
    expect(error).toMatchObject({
      message: `the config: verifiers.1: ${two}: "one" is the name of a verifier of ${one} already. Give it another name, such as one with a prefix of your own.`,
      value: "one",
    });
    const exact = written(`export const a = ${verifier("exact")};`);
    await expect(loadModules(verifierModules, [exact], "run.json")).rejects.toThrow(
      `run.json: verifiers.0: ${exact}: "exact" is the name of a built-in verifier already.`,
    );
  });

  test("are part of the config, which knows what they lead to", async () => {
    const path = written(`export const mine = ${bodies.losses};`);
    const trainer = { type: "sft", steps: 1, loss: [{ type: "own" }] };
    const config = await parseRunConfig(
      tinyConfig("runs", { losses: [path], trainer }),
      "run.json",
    );
    expect(config.trainer.loss).toEqual([{ type: "own", weight: 1 }]);
    await expect(parseRunConfig(tinyConfig("runs", { trainer }), "run.json")).rejects.toThrow(
      /^run\.json: trainer\.loss\.0\.type is "own"/,
    );
    await expect(parseRunConfig({ losses: ["none.mjs"] }, "run.json")).rejects.toThrow(
      /^run\.json: losses\.0: none\.mjs/,
    );
  });
});

describe("one file", () => {
  test("gives its definitions, whatever else it exports", async () => {
    const path = written(`export const losses = [${bodies.losses}]; export const x = 1;`);
    expect(await loadLosses(path)).toEqual([expect.objectContaining({ name: "own" })]);
    await expect(loadModule(verifierModules, path)).rejects.toThrow(
      `${path}: the file exports no verifier definition. Export what defineVerifier returns. It exports: losses, x.`,
    );
  });

  test("that is broken is named with what broke it", async () => {
    const cases = [
      ["export const = 1;", "it cannot be loaded: ", "check its imports and its syntax."],
      [
        'import "not-installed-here";',
        "it cannot be loaded: ",
        "Install not-installed-here beside the file: npm install not-installed-here.",
      ],
      [
        'throw new Error("on purpose");',
        "it cannot be loaded: on purpose.",
        "It is loaded as a module",
      ],
    ] as const;
    for (const [body, problem, remedy] of cases) {
      const path = written(body);
      const message = await loadModule(lossModules, path).catch((error: Error) => error.message);
      expect(message).toContain(`${path}: ${problem}`);
      expect(message).toContain(remedy);
    }
  });

  test("that is no pupil error is let through as it is", async () => {
    const path = written(`export const mine = ${bodies.losses};`);
    const own = new Error("a mistake of ours");
    const kind = {
      ...lossModules,
      check: () => {
        throw own;
      },
    };
    await expect(loadModules(kind, [path])).rejects.toBe(own);
  });

  test("is described by all that it exports, of whatever kind", async () => {
    const singular = { losses: "loss", rewards: "reward", tasks: "task", verifiers: "verifier" };
    const kinds = { ...singular, teachers: "teacher" } as const;
    for (const plural of plurals) {
      const path = written(`export const mine = ${bodies[plural]};`);
      expect(await describeModule(path)).toMatchObject([{ kind: kinds[plural], name: "own" }]);
    }
    const all = plurals.map((plural, i) => `export const x${i} = ${bodies[plural]};`).join("\n");
    const found = await describeModule(written(all));
    expect(found.map(({ kind }) => kind)).toEqual([
      "loss",
      "reward",
      "task",
      "teacher",
      "verifier",
    ]);
    expect(await describeModule("examples/custom-method/label-smoothing.ts")).toMatchObject([
      { kind: "method", name: "label-smoothing" },
    ]);
    const none = join(temporaryFolder(), "none.mjs");
    await expect(describeModule(none)).rejects.toThrow(
      `${none}: The file of components does not exist.`,
    );
    const empty = written("export const x = 1; export function y() {}");
    await expect(describeModule(empty)).rejects.toThrow(
      `${empty}: the file exports no component. Export what defineLoss, defineReward, defineTask, defineTeacher, defineVerifier or defineMethod returns. It exports: x, y.`,
    );
  });
});
