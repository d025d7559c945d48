import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CellResult, readCell } from "../../../../src/node/ablations/cell-results.js";
import { type AblationPlan, type AblationResults, toJson } from "../../../../src/node/index.js";
import type { AblationVerdict } from "../../../../src/node/ablations/results.js";
import { writeReport } from "../../../../src/node/ablations/report/report.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { ablationResults, requireMetrics } from "../../../../src/node/ablations/results.js";
import { noCellCost } from "../../../../src/node/ablations/stages/stage-cost.js";
import {
  failuresTable,
  warningsTable,
} from "../../../../src/node/ablations/report/trouble-tables.js";
import { htmlReport } from "../../../../src/node/ablations/report/html.js";
import { markdownReport } from "../../../../src/node/ablations/report/markdown.js";
import {
  claimTable,
  meansTable,
  pairedTable,
} from "../../../../src/node/ablations/report/tables.js";

const plan = {
  ...{ name: "rates", folder: "f", baseline: "slow", seeds: [1, 2, 3], metrics: undefined },
  arms: [
    { name: "slow", changes: {} },
    { name: "fast", changes: { "trainer.learningRate": 1 } },
  ],
  cells: Array.from({ length: 6 }),
  rule: "the rule",
  claim: {
    text: "Fast is right more often.",
    comparisons: [
      { arm: "fast", baseline: "slow", metric: "heldOut.accuracy", direction: "higher" },
    ],
  },
} as unknown as AblationPlan;

const cell = (arm: string, seed: number, right: readonly number[]): CellResult => ({
  ...{ arm, seed, folder: `${arm}-${seed}`, curve: [], warnings: [] },
  metrics: {
    "heldOut.accuracy": right.reduce((a, b) => a + b) / right.length,
    "heldOut.loss": seed,
  },
  problems: { "heldOut.accuracy": right },
  cost: { ...noCellCost, steps: 10, trainedTokens: 100 * seed, seconds: seed },
});

const half = [1, 0, 1, 0, 1, 0, 1, 0];
const most = [1, 1, 1, 0, 1, 1, 1, 1];
const all = [1, 2, 3].flatMap((seed) => [cell("slow", seed, half), cell("fast", seed, most)]);

describe("the results of an ablation", () => {
  const results = ablationResults(plan, all, []);

  test("have every arm's mean, error and values by seed", () => {
    expect(results.arms["slow"]?.["heldOut.loss"]).toEqual({
      ...{ mean: 2, standardError: Math.sqrt(1 / 3) },
      values: { 1: 1, 2: 2, 3: 3 },
    });
    expect(results.cost["fast"]).toEqual({
      ...{ ...noCellCost, steps: 10, trainedTokens: 200, seconds: 2 },
    });
    expect(results.finished).toBe(true);
  });

  test("compare on the same seeds and problems, and follow the rule", () => {
    const found = results.paired["fast"]?.["heldOut.accuracy"];
    expect(found).toMatchObject({ difference: 0.375, baseline: "slow", seeds: 3 });
    expect(found?.low).toBeGreaterThan(0);
    expect(results.verdict).toMatchObject({ result: "supported", rule: "the rule" });
  });

  test("tell nothing with one seed, and say what is unfinished", () => {
    const one = ablationResults(plan, all.slice(0, 2), [
      { arm: "fast", seed: 2, message: "no memory" },
    ]);
    expect(one.verdict?.result).toBe("cannot tell");
    expect(one.finished).toBe(false);
    const page = {
      ...{ plan: { ...plan, cells: [1, 2, 3, 4] } as never, results: one },
      ...{ summary: [], tables: [], drawings: [], command: "", environment: "" },
    };
    expect(markdownReport(page)).toMatch(
      /unfinished\*\*: 2 of 4 results are there\.\n\n1 of the results failed.*Verdict so far: \*\*cannot tell/s,
    );
  });

  test("say what failed, and what was warned of, once for all that it concerns", () => {
    const failed = ["a", "b"].map((arm) => ({ arm, seed: 1, message: "no memory\nat x" }));
    expect(failuresTable({ failed }).rows).toEqual([["a; b", "1", "no memory"]]);
    const warned = all.map((one) => ({ ...one, warnings: ["sft: Step 3: it diverges."] }));
    expect(warningsTable([...warned, cell("slow", 4, half)]).rows).toEqual([
      ["slow; fast", "1; 2; 3", "sft: Step 3: it diverges."],
    ]);
  });

  test("show what the claim compares, with other baselines than the ablation's too", () => {
    expect(claimTable(results.verdict as AblationVerdict).rows).toEqual([
      [
        ...["fast − slow", "heldOut.accuracy", "0.375"],
        ...[expect.stringMatching(/^\[0\.\d+, 0\.\d+\]$/) as string, "supported"],
      ],
    ]);
  });

  test("are set as a page: numbers to the right, long texts in lines, addresses as links", () => {
    const long = "word ".repeat(20);
    const table = { title: "t", head: ["n", "x"], rows: [["1.5", long]] };
    const about = { title: "T", paper: { citation: "C", url: "https://example.org/a" } };
    const html = htmlReport({
      ...{ plan: { ...plan, about: { ...about, fidelity: "faithful", fairness: "f" } } as never },
      ...{ results, summary: [], tables: [table], drawings: [], command: "", environment: "" },
    });
    expect(html).toContain('<td class="number">1.5</td>');
    expect(html).toContain(`<td class="long">${long}</td>`);
    expect(html).toContain('<a href="https://example.org/a">https://example.org/a</a>.');
    expect(html).toContain("<details><summary>Rule, written down before the runs</summary>");
  });

  test("leave seeds out that only one of the two has", () => {
    const some = ablationResults(plan, all.slice(0, 5), []);
    expect(some.paired["fast"]?.["heldOut.loss"]?.seeds).toBe(2);
  });

  test("are the same when they are computed again", () => {
    expect(ablationResults(plan, all, [])).toEqual(results);
  });

  test("become tables that hide nothing", () => {
    expect(meansTable(results).rows[0]).toEqual(["heldOut.accuracy", "0.5 ± 0", "0.875 ± 0"]);
    const [row] = pairedTable(results).rows;
    expect(row?.slice(0, 3)).toEqual(["fast", "heldOut.accuracy", "0.375"]);
    expect(row?.[3]).toMatch(/^\[0\.\d+, 0\.\d+\]$/);
  });

  test("are shown without running what a name says", () => {
    const evil = { ...plan, name: '<script>alert("x")</script>' };
    const page = {
      plan: evil,
      results,
      summary: [],
      tables: [],
      drawings: [],
      command: "a < b",
      environment: "",
    };
    const html = htmlReport(page as never);
    expect(html).not.toContain("<script");
    expect(html).toContain("a &lt; b");
    expect(html).toContain("<strong>supported</strong>");
  });
});

describe("a run whose measures are not all finite", () => {
  async function cellOnDisk(seed: number, perplexity: number): Promise<CellResult> {
    const folder = temporaryFolder();
    const loss = Math.log(perplexity);
    const final = { "heldOut.loss": loss, "heldOut.perplexity": perplexity };
    const step = {
      tokens: 8,
      elapsedMs: 500,
      onPolicyShare: 0,
      loss,
      terms: { crossEntropy: loss },
    };
    const log = [
      { step: 0, "heldOut.loss": 2, "heldOut.perplexity": Math.exp(2) },
      { step: 1, ...step },
      { step: 1, warning: "loss-diverges", message: "The loss grows." },
      { step: 1, ...final },
    ];
    writeFileSync(join(folder, "metrics.jsonl"), log.map((row) => `${toJson(row)}\n`).join(""));
    writeFileSync(join(folder, "summary.json"), toJson({ final }));
    const config = { output: dirname(folder), name: basename(folder), trainer: { batchSize: 2 } };
    const chain = [{ kind: "run", folder, config }];
    const arm = seed < 3 ? "slow" : "fast";
    return readCell({ arm, seed: 1 + (seed % 2), config, chain } as never);
  }

  test("keeps them, in results.json and in all that is shown", async () => {
    const cells = await Promise.all([1, 2, 3, 4].map((i) => cellOnDisk(i, i === 2 ? Infinity : i)));
    expect(cells[1]?.metrics).toEqual({ "heldOut.loss": Infinity, "heldOut.perplexity": Infinity });
    expect(cells[1]?.curve.map(({ step }) => step)).toEqual([0, 1]);
    expect(cells[1]?.warnings).toEqual(["The loss grows."]);
    expect(cells[1]?.curve[1]?.metrics).toEqual(cells[1]?.metrics);
    expect(cells[1]?.cost).toMatchObject({ steps: 1, trainedTokens: 8, seconds: 0.5 });

    const folder = temporaryFolder();
    const two = {
      ...plan,
      folder,
      seeds: [1, 2],
      claim: undefined,
      stages: [],
    } as unknown as AblationPlan;
    const results = ablationResults(two, cells, []);
    const about = { command: "", environment: "" };
    // Of one of them there can be a report.
    const [first] = cells as [CellResult];
    const config = { name: "run", trainer: { type: "sft", steps: 1 } };
    writeFileSync(join(first.folder, "config.json"), JSON.stringify(config));
    mkdirSync(join(first.folder, "checkpoints"));
    await writeReport(two, results, cells, about, { drawings: true });
    const html = readFileSync(join(folder, "report.html"), "utf8");
    expect(html).toMatch(/<svg[^>]* aria-label=/);
    expect(html).not.toMatch(/<g[^>]* aria-label=/);
    const links = [...html.matchAll(/<td><a href="([^"]+)">/g)].map(([, link]) => link as string);
    expect(links).toHaveLength(1);
    expect(readFileSync(join(folder, ...links), "utf8")).toContain("<h1>");
    const stored = JSON.parse(
      readFileSync(join(folder, "results.json"), "utf8"),
    ) as AblationResults;
    expect(stored.arms["slow"]?.["heldOut.perplexity"]).toEqual({
      ...{ mean: "Infinity", standardError: "NaN", values: { 1: "Infinity", 2: 1 } },
    });
    const [, row] = meansTable(results).rows;
    expect(row).toEqual(["heldOut.perplexity", "Infinity (1 of 2 seeds not finite)", "3.5 ± 0.5"]);
    expect(pairedTable(results).rows[1]?.slice(2, 4)).toEqual(["-Infinity", "not finite: none"]);
    const page = readFileSync(join(folder, "report.md"), "utf8");
    expect(page).toMatch(/!\[heldOut.perplexity by arm: .*Not drawn: slow\/1 is Infinity\]/);
    expect(page).toMatch(/!\[heldOut.loss over the steps: .*slow\/1 is Infinity at step 1\]/);
    expect(page).toMatch(/!\[heldOut.loss against .*Not drawn: slow\/1 is Infinity\]/);
    for (const file of readdirSync(join(folder, "plots")).filter((name) => name.endsWith("svg"))) {
      expect(readFileSync(join(folder, "plots", file), "utf8")).not.toMatch(/NaN|="[^"]*Infinity,/);
    }
  });
});

test("a measure that no run has is named with those there are", () => {
  const asked = { ...plan, metrics: ["heldOut.acuracy"] };
  expect(() => requireMetrics(asked, all)).toThrow(
    /no run has a measure "heldOut\.acuracy"\. .*heldOut\.accuracy, heldOut\.loss/,
  );
  // Of rows a method cannot have all that it has of its task; what is claimed is needed all the same.
  const longer = {
    ...plan,
    metrics: ["heldOut.accuracy", "longer.accuracy"],
    metricsMayLack: true,
  };
  requireMetrics(longer, all);
  expect(Object.keys(ablationResults(longer, all, []).arms["fast"] ?? {})).toEqual([
    "heldOut.accuracy",
  ]);
  const comparisons = [{ ...plan.claim?.comparisons[0], metric: "longer.accuracy" }];
  const claimed = { ...longer, claim: { text: "", comparisons } } as unknown as AblationPlan;
  expect(() => requireMetrics(claimed, all)).toThrow(/has a measure "longer\.accuracy"/);
});
