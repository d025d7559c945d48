/** What an evaluation of a run is made of: sets, measures, completions, verdicts and traces. */
import { describe, expect, test } from "vitest";
import { noOwnComponents } from "../../../../../src/config/index.js";
import { assembleModels, owning } from "../../../../../src/node/runs/models/assemble-models.js";
import { evaluateRun } from "../../../../../src/node/index.js";
import { evaluatorOf } from "../../../../../src/node/runs/run-evaluation.js";
import { stepTermFromConfig } from "../../../../../src/node/runs/training/run-terms.js";
import { tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

async function evaluated(changes: object = {}, evaluation: object = {}) {
  const folder = temporaryFolder();
  const from = await saveTinyTeacher(folder);
  const student = { from: await saveTinyTeacher(folder, { name: "student", seed: 4 }) };
  return evaluateRun(
    tinyRun(folder, {
      ...{ student, teacher: { from } },
      evaluation: { rows: 3, maxNewTokens: 3, ...evaluation },
      ...changes,
    }),
  );
}

const pairsTrainer = { type: "pairs", steps: 1, loss: [{ type: "dpo" }] };

describe("an evaluation", () => {
  test("measures every set by its name, and verifies what can be", async () => {
    const { metrics, completions, correct, traces } = await evaluated();
    for (const set of ["heldOut", "longer"]) {
      for (const name of ["loss", "accuracy", "meanLength", "endRate", "forwardKl", "reverseKl"]) {
        expect(metrics[`${set}.${name}`], `${set}.${name}`).toEqual(expect.any(Number));
      }
      expect(correct[set]).toHaveLength(3);
    }
    expect(completions.map(({ set }) => set)).toEqual([
      ...["heldOut", "heldOut", "heldOut", "longer", "longer", "longer"],
    ]);
    for (const { prompt, completion, ...row } of completions) {
      expect(prompt).toMatch(/^\d+\+\d+=$/);
      expect(completion.length).toBeLessThanOrEqual(3);
      expect(Object.keys(row)).toEqual(["set", "correct"]);
    }
    expect(traces).toEqual([]);
    expect(metrics).not.toHaveProperty(["heldOut.passAt2"]);
  });

  test("logs eight completions of a set, and verifies all", async () => {
    const { completions, correct } = await evaluated({}, { rows: 11 });
    expect(completions.filter(({ set }) => set === "heldOut")).toHaveLength(8);
    expect(correct["heldOut"]).toHaveLength(11);
  });

  test("traces as many prompts of a set as are asked for, by both models", async () => {
    const { traces, completions } = await evaluated({}, { traces: 2 });
    const shown = traces.map(({ set, prompt }) => [set, prompt]);
    expect(shown).toEqual(
      ["heldOut", "longer"].flatMap((name) =>
        completions
          .filter(({ set }) => set === name)
          .slice(0, 2)
          .map(({ set, prompt }) => [set, prompt]),
      ),
    );
    for (const { tokens, version } of traces) {
      expect([version, tokens.length > 0]).toEqual([1, true]);
      for (const token of tokens) expect(token).toHaveProperty("teacherEntropy");
    }
    const alone = await evaluated({ teacher: undefined }, { traces: 1 });
    for (const { tokens } of alone.traces) {
      for (const token of tokens) expect(token).not.toHaveProperty("teacherEntropy");
    }
  });

  test("makes samples where more than one is asked for, and rewards those of a policy", async () => {
    for (const samplesPerPrompt of [undefined, 1]) {
      const { metrics } = await evaluated({}, { samplesPerPrompt });
      expect(Object.keys(metrics).filter((name) => /passAt|reward/.test(name))).toEqual([]);
    }
    const { metrics } = await evaluated({}, { samplesPerPrompt: 3 });
    expect(metrics).toHaveProperty(["heldOut.passAt3"]);
    expect(metrics).not.toHaveProperty(["heldOut.reward"]);
    const trainer = { type: "reinforce", steps: 1, rewards: [{ type: "length" }] };
    const policy = async (evaluation: object, changes: object = {}) =>
      (await evaluated({ trainer: { ...trainer, ...changes } }, evaluation)).metrics;
    expect(await policy({})).toHaveProperty(["longer.passAt4"]);
    const one = await policy({ samplesPerPrompt: 1 });
    expect(one).toHaveProperty(["heldOut.reward"]);
    expect(one).not.toHaveProperty(["heldOut.passAt4"]);
    // By the policy's own sampling and rewards.
    const greedy = await policy({}, { sampling: { greedy: true } });
    expect(greedy["heldOut.reward"]).not.toBe((await policy({}))["heldOut.reward"]);
    const rewards = [{ type: "length", weight: 2 }];
    const twice = await policy({}, { rewards });
    expect(twice["heldOut.reward"]).toBeCloseTo(
      2 * ((await policy({}))["heldOut.reward"] as number),
      5,
    );
  });

  test("of pairs compares answers, of other trainers does not", async () => {
    const { metrics } = await evaluated({ trainer: pairsTrainer });
    const names = (all: object) =>
      Object.keys(all).filter((name) => /pair|margin|prefer/i.test(name));
    expect(names(metrics).length).toBeGreaterThan(0);
    expect(names(metrics).every((name) => /^(heldOut|longer)\./.test(name))).toBe(true);
    expect(names((await evaluated()).metrics)).toEqual([]);
  });

  test("is the same every time, and another with another seed", async () => {
    const sampling = { samplingTemperature: 1 };
    const texts = async (changes: object) => {
      const { completions, metrics } = await evaluated(changes, { sampling, rows: 6 });
      return JSON.stringify([completions, metrics]);
    };
    const first = await texts({ seed: 2 });
    expect(await texts({ seed: 2 })).toBe(first);
    expect(await texts({ seed: 3 })).not.toBe(first);
  });

  test("may be made again of the same parts", async () => {
    const config = tinyRun(temporaryFolder(), { evaluation: { rows: 2, maxNewTokens: 2 } });
    using models = await owning((own) =>
      assembleModels(config, { loss: [], components: noOwnComponents, trains: false }, own),
    );
    const evaluate = evaluatorOf(config, { ...models, ownRewards: [] });
    expect(await evaluate()).toEqual(await evaluate());
  });
});

test("a term of a config is a term of a step, with what its trainer lets it choose", () => {
  const term = stepTermFromConfig({ type: "reverse-kl", weight: 0.5 } as never, []);
  expect(term).toMatchObject({ weight: 0.5, definition: { name: "reverse-kl" } });
  expect(Object.keys(term)).not.toContain("against");
  expect(Object.keys(term)).not.toContain("rows");
  const chosen = { type: "reverse-kl", weight: 1, against: "reference", rows: "failing" };
  expect(stepTermFromConfig(chosen as never, [])).toMatchObject({
    ...{ against: "reference", rows: "failing" },
  });
});
