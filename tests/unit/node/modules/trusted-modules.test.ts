import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { resolveEvaluation, resolveTraining } from "../../../../src/node/index.js";
import { isOfRun, requireTrust, takeTrust } from "../../../../src/node/modules/trusted-modules.js";
import { runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** A finished run whose config, as somebody could send it, names this module. */
async function sentRun(module: string): Promise<string> {
  const folder = temporaryFolder();
  const run = tinyRun(folder, { trainer: { type: "sft", steps: 1, batchSize: 2 } });
  await runToEnd(run);
  const path = join(folder, "tiny");
  const config = { ...run, losses: [module], versions: { pupil: "0" } };
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  return path;
}

test("code that a run folder names outside of the working folder runs only when it is trusted", async () => {
  onTestFinished(() => void Reflect.deleteProperty(globalThis, "ranModule"));
  const module = join(temporaryFolder(), "module.mjs");
  writeFileSync(module, "globalThis.ranModule = true; export const x = 1;");
  const run = await sentRun(module);
  const refused =
    /losses\.0: this run folder names a module outside.*module\.mjs, then add trust=true/;
  await expect(resolveTraining(undefined, [`resume=${run}`])).rejects.toThrow(refused);
  await expect(resolveEvaluation(run, [])).rejects.toThrow(refused);
  // The same config as a file is no less somebody else's.
  const file = join(run, "config.json");
  await expect(resolveTraining(file, ["name=other"])).rejects.toThrow(refused);
  await expect(resolveTraining(file, [`resume=${run}`])).rejects.toThrow(refused);
  await expect(resolveEvaluation(file, [])).rejects.toThrow(refused);
  expect(globalThis).not.toHaveProperty("ranModule");
  const loaded = /exports no loss definition/;
  await expect(resolveTraining(undefined, [`resume=${run}`, "trust=true"])).rejects.toThrow(loaded);
  await expect(resolveEvaluation(run, ["trust=true"])).rejects.toThrow(loaded);
  expect(globalThis).toHaveProperty("ranModule", true);
});

test("a module of the working folder needs no trust; a link out of it does", async () => {
  const inside = "examples/custom-loss/renyi-divergence.ts";
  await requireTrust("runs/x", { losses: [inside] }, false);
  const folder = temporaryFolder();
  const outside = join(folder, "real.mjs");
  writeFileSync(outside, "");
  mkdirSync("runs", { recursive: true });
  const link = join("runs", `link-${process.pid}.mjs`);
  symlinkSync(outside, link);
  try {
    await expect(requireTrust("runs/x", { losses: [inside, link] }, false)).rejects.toThrow(
      /losses\.1/,
    );
  } finally {
    (await import("node:fs")).rmSync(link);
  }
});

test("the word is taken out of a command wherever it stands, and nothing else", () => {
  expect(takeTrust(["a=1", "trust=true", "b=2"])).toEqual({ trusted: true, rest: ["a=1", "b=2"] });
  expect(takeTrust(["trust=true", "trust=true"])).toEqual({ trusted: true, rest: [] });
  for (const words of [[], ["a=1"], ["trust=false"], ["trust=truely"], ["x.trust=true"]]) {
    expect(takeTrust(words)).toEqual({ trusted: false, rest: words });
  }
});

test("a config is a run's where it says what the run was made with", () => {
  expect(isOfRun({ name: "x", versions: {} })).toBe(true);
  for (const config of [{ name: "x" }, {}, null, undefined, "versions", 3]) {
    expect(isOfRun(config), String(config)).toBe(false);
  }
});

test("any module outside is refused, in whatever list, by its place and its name", async () => {
  const outside = join(temporaryFolder(), "missing.mjs");
  for (const list of ["losses", "tasks", "verifiers", "rewards", "teachers", "methods"]) {
    const stored = { [list]: ["inside.mjs", outside] };
    const error = await requireTrust("runs/x/config.json", stored, false).catch((e: unknown) => e);
    expect(error).toMatchObject({
      message: `runs/x/config.json: ${list}.1: this run folder names a module outside of the working folder. It would run as code, with your rights: read ${outside}, then add trust=true.`,
      value: outside,
    });
    await requireTrust("runs/x/config.json", stored, true);
  }
});

test("what lies beside the working folder is outside, and a name with dots in it is not", async () => {
  const refused = (module: string) =>
    requireTrust("x", { tasks: [module] }, false).then(
      () => false,
      () => true,
    );
  for (const module of ["..", "../beside.mjs", "in/../../beside.mjs", "/", "/etc/hosts"]) {
    expect(await refused(module), module).toBe(true);
  }
  for (const module of [".", "a.mjs", "..a.mjs", ".../a.mjs", "in/../a.mjs", "..\\a.mjs"]) {
    expect(await refused(module), module).toBe(false);
  }
  // What else is wrong with them is said where they are parsed.
  for (const stored of [null, 3, [], { tasks: 3 }, { tasks: [3] }]) {
    await requireTrust("x", stored, false);
  }
});
