import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { planAblation } from "../../../../src/node/index.js";
import { tinyConfig } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

function ablationFile(changes: object = {}): string {
  const folder = temporaryFolder();
  const path = join(folder, "ablation.json");
  const file = {
    name: "rates",
    run: tinyConfig(folder),
    arms: { slow: {}, fast: { "trainer.learningRate": 0.01 } },
    seeds: 2,
    ...changes,
  };
  writeFileSync(path, JSON.stringify(file));
  return path;
}

const claim = (comparison: object) => ({
  claim: {
    text: "Fast is better.",
    comparisons: [{ arm: "fast", metric: "heldOut.loss", direction: "lower", ...comparison }],
  },
});

describe("a plan", () => {
  test("has a run of every arm and seed that differs in nothing else", async () => {
    const plan = await planAblation(ablationFile(), [], { folder: "somewhere" });
    expect(plan.cells.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual([
      ...["slow 1", "slow 2"],
      ...["fast 1", "fast 2"],
    ]);
    expect(plan.cells.map(({ config }) => `${config.output}/${config.name}`)).toEqual([
      ...["somewhere/cells/slow-seed-1", "somewhere/cells/slow-seed-2"],
      ...["somewhere/cells/fast-seed-1", "somewhere/cells/fast-seed-2"],
    ]);
    const rates = plan.cells.map(({ config }) => config.trainer.learningRate);
    expect(rates).toEqual([1e-3, 1e-3, 0.01, 0.01]);
    expect(new Set(plan.cells.map(({ id }) => id)).size).toBe(4);
  });

  test("names a run by all that decides it, and by nothing else", async () => {
    const idsOf = async (changes: object, words: string[] = [], folder = "a") =>
      (await planAblation(ablationFile(changes), words, { folder })).cells.map(({ id }) => id);
    const base = await idsOf({});
    expect(await idsOf({ name: "other" }, [], "b")).toEqual(base);
    expect(await idsOf({}, ["trainer.batchSize=5"])).not.toEqual(base);
    expect((await idsOf({ seeds: [2, 3] }))[0]).toBe(base[1]);
  });

  test("states its rule before anything runs", async () => {
    const { rule } = await planAblation(ablationFile(claim({})), []);
    expect(rule).toBe(
      "Supported if the 95 % interval of heldOut.loss of fast minus slow lies below 0; contradicted if that interval lies wholly on the other side of its border; else it cannot be told.",
    );
  });
});

test.each<[string, object, RegExp]>([
  [
    "an arm that changes nothing",
    { arms: { a: {}, b: { "trainer.learningRate": 0.001 } } },
    /arms\.b: its runs are those of the arm "a": it changes nothing/,
  ],
  [
    "an unknown key in an arm",
    { arms: { a: {}, b: { "trainer.learningrate": 1 } } },
    /arms\.b: trainer\.learningrate is not a field\. Did you mean "learningRate"/,
  ],
  [
    "a claim about an arm that is not there",
    claim({ arm: "fst" }),
    /claim\.comparisons\.0\.arm: there is no arm "fst"\. Did you mean "fast"/,
  ],
  ["a run config that is not there", { run: "none.json" }, /none\.json/],
  [
    "names that make one folder",
    { arms: { "a b": {}, "a-b": { "trainer.learningRate": 1 } } },
    /share the folder a-b-seed-1/,
  ],
  ["a misspelled field", { arm: {} }, /arm is not a field\. Did you mean "arms"/],
])("%s is refused before anything runs", async (_what, changes, message) => {
  await expect(planAblation(ablationFile(changes), [])).rejects.toThrow(message);
});
