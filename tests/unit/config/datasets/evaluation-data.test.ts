import { describe, expect, test } from "vitest";
import {
  completionLengths,
  datasetSchema,
  parseConfig,
  prepareData,
  runConfigSchema,
} from "../../../../src/config/index.js";
import { byteTokenizer } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { metricsOf, runToEnd, tinyConfig, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const tokenizer = byteTokenizer();
const addition = (changes: object = {}, of: object = {}) => ({
  type: "task",
  task: { type: "addition", maxDigits: 1, style: "direct", ...changes },
  ...of,
});
const parsed = (given: object) => datasetSchema.parse(given);
const prepare = (data: object, evaluationData?: unknown) =>
  prepareData(parsed(data), {
    tokenizer,
    random: new Random(1),
    evaluationRows: 4,
    ...(evaluationData === undefined ? {} : { evaluationData: evaluationData as never }),
  });

describe("data to evaluate on", () => {
  test("takes the place of the data's own", async () => {
    const data = await prepare(addition(), parsed(addition({ maxDigits: 5, minDigits: 5 })));
    const own = await prepare(addition());
    expect(data.evaluation.map(({ name }) => name)).toEqual(["heldOut", "longer"]);
    expect(tokenizer.decode([...(data.evaluation[0]?.prompts[0] ?? [])])).toMatch(
      /^\d{5}\+\d{5}=$/,
    );
    expect(await data.training.rows(0, 3)).toEqual(await own.training.rows(0, 3));
    expect(data.maxNewTokens).toBe(own.maxNewTokens);
    expect(data.evaluationNewTokens).toBeGreaterThan(own.maxNewTokens);
    expect(data.positions).toBeGreaterThan(own.positions);
    const config = tinyRun("runs");
    expect(completionLengths(config, data)).toEqual({
      training: own.maxNewTokens,
      evaluation: data.evaluationNewTokens,
    });
  });

  test("may be several, whose names its sets begin with", async () => {
    const data = await prepare(addition(), {
      one: parsed(addition()),
      b8: parsed(addition({}, { prefix: "8:", budget: 8 })),
    });
    expect(data.evaluation.map(({ name, budget }) => [name, budget])).toEqual([
      ["one.heldOut", undefined],
      ["one.longer", undefined],
      ["b8.heldOut", 8],
      ["b8.longer", 8],
    ]);
    const [plain, , prefixed] = data.evaluation.map(({ prompts }) =>
      tokenizer.decode([...(prompts[0] ?? [])]),
    );
    expect(prefixed).toBe(`8:${plain}`);
    expect(data.notes.join("\n")).toContain("Evaluation (b8): Task addition");
  });

  test.each([
    [{ type: "tas", task: {} }, /evaluation\.data\.type is "tas"\. .*task/],
    [addition({ maxDigit: 2 }), /evaluation\.data\.task\.maxDigit is not a field\. Did you mean/],
    [
      { b8: addition({ maxDigit: 2 }) },
      /evaluation\.data\.b8\.task\.maxDigit is not a field\. Did/,
    ],
    [{ b8: { type: "tas" } }, /evaluation\.data\.b8\.type is "tas"/],
    [{ "b 8": addition() }, /evaluation\.data\.b 8: its name does not fit: use letters/],
    [7, /evaluation\.data is 7, expected object/],
  ])("%j is refused", (data, message) => {
    const given = tinyConfig("runs", { evaluation: { data } });
    expect(() => parseConfig(runConfigSchema, given, "run.json")).toThrow(message);
  });
});

test("a prefix stands before every prompt, of rows, pairs and problems", async () => {
  const data = await prepare(addition({}, { prefix: "<8>" }));
  const [row] = await data.training.rows(0, 1);
  const [problem] = (await data.problems?.problems(0, 1)) ?? [];
  const [pair] = (await data.pairs?.pairs(0, 1)) ?? [];
  expect(problem?.prompt).toMatch(/^<8>\d\+\d=$/);
  for (const { ids, completionStart } of [row, pair?.positive, pair?.negative] as never[]) {
    expect(tokenizer.decode((ids as number[]).slice(0, completionStart))).toBe(problem?.prompt);
  }
  expect(data.problems?.source.alphabet).toContain("<");
});

test("a run measures named sets and budgets, with characters of its own", async () => {
  const output = temporaryFolder();
  const config = tinyRun(output, {
    tokenizer: { type: "character", characters: "§" },
    data: addition({}, { prefix: "#" }),
    trainer: { type: "sft", steps: 2, batchSize: 4 },
    evaluation: {
      every: 0,
      rows: 4,
      maxNewTokens: 3,
      data: { b2: addition({}, { prefix: "@2", budget: 2 }), plain: addition() },
    },
    checkpoint: { every: 0 },
  });
  await runToEnd(config);
  const last = metricsOf(config).at(-1) as Record<string, number>;
  const all = JSON.stringify(last);
  for (const name of [
    "b2.heldOut.budgetError",
    "b2.longer.violationRate",
    "plain.heldOut.accuracy",
  ]) {
    expect(all).toContain(`"${name}":`);
  }
  expect(all).not.toContain('"plain.heldOut.budgetError"');
  expect(all).not.toContain('"heldOut.');
});
