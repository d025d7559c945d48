import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  baseSettings,
  additionProblems,
  defineMethod,
  findMethod,
  freshStudent,
  higher,
  methodDefinitions,
  trainStage,
} from "../../../../src/methods/index.js";
import { describeModule, loadMethod, loadMethods, planMethod } from "../../../../src/node/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** The module that a page of docs/extending shows. */
function pageExample(page: string): string {
  const [, code = ""] = readFileSync(`docs/extending/${page}.md`, "utf8").split("```ts\n");
  const path = join(temporaryFolder(), `${page}.ts`);
  writeFileSync(path, code.split("```")[0] ?? "");
  return path;
}

const method = (changes: object = {}) =>
  defineMethod({
    name: "rates",
    title: "Rates",
    paper: { citation: "Nobody 2025", url: "https://example.org" },
    claim: "More is better.",
    fidelity: "faithful",
    settings: z.strictObject({
      ...baseSettings({ problems: additionProblems(1) }),
      rate: z.number().default(0.01).describe("[REC] The higher rate."),
    }),
    paperSettings: {
      rate: { value: 0.1, source: "SRC" },
      data: { value: "GSM8K", source: "ABS", here: "sums" },
    },
    arms(s) {
      const arm = (learningRate: number) => [
        trainStage("sft", s, {
          student: freshStudent(s.student),
          trainer: { type: "sft", steps: 2, learningRate },
        }),
      ];
      return { slow: arm(0.001), fast: arm(s.rate) };
    },
    baseline: "slow",
    comparisons: [higher("heldOut.accuracy", "fast")],
    fairness: { equal: "steps", note: "The same rows." },
    ...changes,
  });

describe("a plan of a method", () => {
  test("has its arms and claim, and our settings beside the paper's", async () => {
    const plan = await planMethod(method(), ["rate=0.02"]);
    expect(plan.folder).toBe("ablations/rates");
    expect(plan.seeds).toEqual([1, 2, 3]);
    expect(plan.cells.at(-1)?.config.trainer.learningRate).toBe(0.02);
    expect(plan.claim?.comparisons).toEqual([
      { arm: "fast", baseline: "slow", metric: "heldOut.accuracy", direction: "higher" },
    ]);
    const rows = plan.about?.settings ?? [];
    expect(rows.find(({ name }) => name === "rate")).toEqual({
      ...{ name: "rate", ours: "0.02", paper: "0.1", source: "SRC" },
    });
    expect(rows.at(-1)).toEqual({ name: "data", ours: "sums", paper: "GSM8K", source: "ABS" });
    expect(plan.about?.fairness).toBe("Equal in all arms: steps. The same rows.");
  });

  test("changes fields of the default task, and takes problems of one's own", async () => {
    const deeper = await planMethod(method(), ["problems.task.maxDigits=2"]);
    expect(deeper.cells[0]?.config.data).toMatchObject({
      task: { type: "addition", maxDigits: 2 },
    });
    const own = await planMethod(method(), [
      ...["data=my.jsonl", "data.fields.prompt=question", "verifier.type=number"],
    ]);
    expect(own.cells[0]?.config.data).toMatchObject({
      ...{ type: "file", path: "my.jsonl", fields: { prompt: "question" } },
    });
  });

  test("needs a verifier for a claim about right answers, before anything runs", async () => {
    await expect(planMethod(method(), ["data=my.jsonl"])).rejects.toThrow(
      /rates: problems\.verifier: its claim is about right answers.*verifier\.type=number/,
    );
    const ofLoss = method({ comparisons: [higher("heldOut.loss", "fast")] });
    expect((await planMethod(ofLoss, ["data=my.jsonl"])).cells).toHaveLength(6);
  });

  test("takes tasks and verifiers of one's own by the paths of their modules", async () => {
    const task = pageExample("task");
    const words = ["problems.type=task", "problems.task.type=backwards", `tasks=${task}`];
    const { cells } = await planMethod(method(), words);
    expect(cells[0]?.config).toMatchObject({
      data: { type: "task", task: { type: "backwards" } },
      tasks: [task],
    });
    await expect(planMethod(method(), words.slice(0, 2))).rejects.toThrow(/backwards/);
    await expect(planMethod(method(), [...words, "problems.task.none=1"])).rejects.toThrow(/none/);
    await expect(planMethod(method({ needs: ["respond"] }), words)).rejects.toThrow(
      /needs answers to the student's actions, which the task "backwards" cannot give/,
    );
    await expect(planMethod(method(), ["tasks=none.ts"])).rejects.toThrow(
      /rates: tasks\.0: none\.ts/,
    );
    const rows = ["data=my.jsonl", "verifier.type=quantity", "verifier.unit=km"];
    const verifier = pageExample("verifier");
    const own = await planMethod(method(), [...rows, `verifiers=${verifier}`]);
    expect(own.cells[0]?.config).toMatchObject({
      data: { type: "file", verifier: { type: "quantity", unit: "km" } },
      verifiers: [verifier],
    });
  });

  test("gives all stages one tokenizer, those that collect too", async () => {
    const words = ["data=my.jsonl", "verifier.type=number"];
    const redi = findMethod("redi", methodDefinitions);
    const tokenizers = async (...more: string[]) =>
      (await planMethod(redi, [...words, ...more])).stages.map(({ config }) =>
        "tokenizer" in config ? config.tokenizer : undefined,
      );
    const byte = await tokenizers("tokenizer.type=byte");
    expect(byte.length).toBeGreaterThan(6);
    expect(new Set(byte.map((tokenizer) => JSON.stringify(tokenizer)))).toEqual(
      new Set(['{"type":"byte"}']),
    );
    expect(new Set(await tokenizers())).toEqual(new Set([undefined]));
    await expect(planMethod(redi, [...words, "tokenizer.type=bite"])).rejects.toThrow(
      /redi: tokenizer\.type is "bite"\. Did you mean "byte"/,
    );
  });

  test("is as small as it gets where only its wiring is asked for", async () => {
    const { cells } = await planMethod(method(), [], { smoke: true });
    expect(cells[0]?.config).toMatchObject({
      student: { architecture: { hiddenSize: 16 } },
      trainer: { batchSize: 2 },
    });
  });

  test.each<[string, object, string[], RegExp]>([
    ["an unknown setting", {}, ["rat=1"], /^rates: rat is not a field\. Did you mean "rate"/],
    ["a value of another type", {}, ["rate=fast"], /rates: rate is "fast", expected number/],
    [
      "a claim about an arm that is not there",
      { comparisons: [higher("heldOut.accuracy", "fst")] },
      [],
      /there is no arm "fst"\. Did you mean "fast"/,
    ],
    ["one arm", { arms: () => ({ only: [] }) }, [], /1 arm is nothing to compare/],
    [
      "rows that cannot do what only a task can",
      { needs: ["solve"] },
      ["data=my.jsonl"],
      /needs solutions by rule, in several styles and with errors, which rows of a file cannot give/,
    ],
    [
      "a task that cannot do what another could",
      { needs: ["respond"] },
      [],
      /needs answers to the student's actions, which the task "addition" cannot give/,
    ],
  ])("is refused for %s", async (_what, changes, words, message) => {
    await expect(planMethod(method(changes), words)).rejects.toThrow(message);
  });
});

describe("a module of a method", () => {
  const file = (text: string) => {
    const path = join(temporaryFolder(), "mine.mjs");
    writeFileSync(path, text);
    return path;
  };

  test("gives the one that it exports", async () => {
    const found = await loadMethod("examples/custom-method/label-smoothing.ts");
    const { cells } = await planMethod(found, ["smoothing=0.3"], { seeds: 1 });
    expect(cells[1]?.config.trainer.loss).toMatchObject([{ labelSmoothing: 0.3 }]);
  });

  test.each([
    ["export const a = 1;", /exports no method\. Export what defineMethod returns\. It exports: a/],
    [
      "export const a = { arms() {} }, b = { arms() {} };",
      /export a: name is missing \(expected string\)/,
    ],
    ["export const a = { arms() {}, name: 'A b' };", /name is "A b": is not in kebab-case/],
    ["export const = 1;", /cannot be loaded/],
  ])("is refused for %s", async (text, message) => {
    await expect(loadMethod(file(text))).rejects.toThrow(message);
  });

  const mine = resolve("examples/custom-method/label-smoothing.ts");
  const two = `import { labelSmoothing as one } from ${JSON.stringify(mine)};
    export const methods = [one, { ...one, name: "two" }];`;

  test("may export several, of which one is named, and is described", async () => {
    const path = file(two);
    await expect(loadMethod(path)).rejects.toThrow(
      /more than one method: label-smoothing, two\. Name the one that is meant: pupil ablate <name> methods=/,
    );
    const found = await loadMethods([path]);
    expect(found.map(({ name }) => name)).toEqual(["label-smoothing", "two"]);
    await expect(loadMethods([path, mine])).rejects.toThrow(
      /methods\.1: .*there is a method "label-smoothing" already/,
    );
    expect(await describeModule(path)).toMatchObject([
      { kind: "method", name: "label-smoothing" },
      { kind: "method", name: "two" },
    ]);
  });
});
