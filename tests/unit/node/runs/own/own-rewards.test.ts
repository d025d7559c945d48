import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeModule, parseRunConfig } from "../../../../../src/node/index.js";
import { runToEnd, stepsOf, tinyConfig } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const page = readFileSync(
  new URL("../../../../../docs/extending/reward.md", import.meta.url),
  "utf8",
);
const example = /```ts\n([^]*?)```/.exec(page)?.[1] ?? "";

test("the reward of docs/extending/reward.md can be named in a run", async () => {
  expect(example.trim().split("\n").length).toBeLessThanOrEqual(40);
  const folder = temporaryFolder();
  writeFileSync(join(folder, "no-repeats.ts"), example);
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  const modules = new URL("../../../../../node_modules", import.meta.url).pathname;
  symlinkSync(modules, join(folder, "node_modules"));
  const described = await describeModule(join(folder, "no-repeats.ts"));
  expect(described).toMatchObject([{ kind: "reward", name: "no-repeats" }]);
  const rewards = [{ type: "no-repeats", price: 0.1 }];
  const given = tinyConfig(join(folder, "runs"), {
    rewards: [join(folder, "no-repeats.ts")],
    trainer: { type: "reinforce", steps: 1, batchSize: 2, rewards },
    evaluation: { every: 0, rows: 2 },
  });
  const config = await parseRunConfig(given, "run.json");
  await runToEnd(config);
  const [step] = stepsOf(config);
  expect(Object.keys(step?.rewards ?? {})).toEqual(["no-repeats"]);

  const misspelt = { type: "no-repeats", prize: 1 };
  const wrong = { ...given, trainer: { type: "reinforce", steps: 1, rewards: [misspelt] } };
  await expect(parseRunConfig(wrong, "run.json")).rejects.toThrow(/prize.*price/);
});

test.each([
  ["no definition", "export const x = 1;", /exports no reward definition/],
  [
    "an unknown need",
    'import { defineReward } from "pupil"; import { z } from "zod"; export const r = defineReward({ name: "r", summary: "", reference: "", needs: ["luck"], config: z.strictObject({}), evaluate: () => 0 });',
    /needs/,
  ],
  [
    "the name of a built-in one",
    'import { defineReward } from "pupil"; import { z } from "zod"; export const r = defineReward({ name: "exact", summary: "", reference: "", needs: [], config: z.strictObject({}), evaluate: () => 0 });',
    /"exact" is the name of a built-in reward already/,
  ],
])("a module with %s is refused", async (_, source, message) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "mine.ts"), source);
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  const modules = new URL("../../../../../node_modules", import.meta.url).pathname;
  symlinkSync(modules, join(folder, "node_modules"));
  const given = tinyConfig(folder, { rewards: [join(folder, "mine.ts")] });
  await expect(parseRunConfig(given, "run.json")).rejects.toThrow(message);
});
