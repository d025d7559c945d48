import { describe, expect, test } from "vitest";
import { replaceBlock, reportBlocks } from "../../../bench/tables/report-block.js";
import { lossPartTable } from "../../../bench/loss-memory/loss-part-table.js";
import type { BenchmarkResults, LossForm, LossPart, Measurement } from "../../../bench/results.js";
import { stepFlops } from "../../../bench/scenarios.js";
import { digits, markdownTable, resultTables, textTable } from "../../../bench/tables/tables.js";
import { compareWithTargets } from "../../../bench/tables/targets.js";

function measurement(
  group: Measurement["group"],
  name: string,
  contestant: string,
  median: number,
  min = median,
): Measurement {
  const unit = group === "memory" ? "bytes" : "ms";
  return { group, case: name, contestant, unit, median, min, rounds: [min, median] };
}

function resultsOf(measurements: readonly Measurement[]): BenchmarkResults {
  const contestant = (id: string, threads: number) => ({ id, label: `label of ${id}`, threads });
  return {
    date: "2026-01-02T03:04:05Z",
    machine: {
      ...{ cpu: "Some CPU", cores: 2, memoryGiB: 8, system: "Linux", node: "v20" },
      ...{ loadBefore: 0.1, loadAfter: 1.5 },
    },
    command: "npm run bench",
    threads: 2,
    contestants: [contestant("stock", 1), contestant("pupil-1", 1), contestant("pupil-2", 2)],
    skipped: ["PyTorch (python3: not found)."],
    measurements,
    lossDifferences: { small: 2e-6 },
  };
}

function lossParts(fusedMiB = 15): LossPart[] {
  const part = (form: LossForm, vocabSize: number, mib: number): LossPart => ({
    ...{ loss: "some-loss", form, vocabSize, value: 1, gradientNorm: 1, cpuMs: [30, 20] },
    ...{ peakBytes: mib * 2 ** 20, maxRssBytes: 2 * mib * 2 ** 20 },
  });
  return [
    ...[part("plain", 32000, 20), part("fused", 32000, 10)],
    ...[part("plain", 128000, 50), part("fused", 128000, fusedMiB)],
  ];
}

const targetNamed = (measurements: readonly Measurement[], part: string) =>
  compareWithTargets(resultsOf(measurements)).find(({ name }) => name.includes(part));

describe("targets", () => {
  test("are ratios of times, of medians and of bests", () => {
    const target = targetNamed(
      [
        measurement("training", "small", "stock", 1000, 900),
        measurement("training", "small", "pupil-2", 100, 50),
      ],
      "small: times faster than stock",
    );
    expect(target).toMatchObject({ goal: 8, ratio: 10, bestRatio: 18 });
  });

  test("take the faster of PyTorch's thread counts", () => {
    const target = targetNamed(
      [
        measurement("generation", "small", "torch-1", 80),
        measurement("generation", "small", "torch-2", 500),
        measurement("generation", "small", "pupil-2", 20),
      ],
      "generation, 2 threads",
    );
    expect(target?.ratio).toBe(4);
  });

  test("on transposed products take the slowest", () => {
    const target = targetNamed(
      [
        measurement("matmul", "64 nn", "pupil-1", 9),
        measurement("matmul", "64 tn", "pupil-1", 10),
        measurement("matmul", "512 nn", "pupil-1", 10),
        measurement("matmul", "512 nt", "pupil-1", 20),
      ],
      "transposed",
    );
    expect(target?.ratio).toBe(0.5);
  });

  test("without measurements have no ratio", () => {
    for (const { ratio } of compareWithTargets(resultsOf([]))) expect(ratio).toBeUndefined();
    const only = targetNamed([measurement("training", "small", "stock", 1)], "than stock");
    expect(only?.ratio).toBeUndefined();
  });
});

describe("tables", () => {
  const results = resultsOf([
    measurement("training", "small", "stock", 1000, 900),
    measurement("training", "small", "pupil-2", 100, 50),
    measurement("memory", "small step", "pupil-2", 3 * 2 ** 20),
  ]);
  const tables = resultTables(results);
  const named = (title: string) => tables.find((table) => table.title.startsWith(title));

  test("have a column for each contestant, with a dash where nothing was measured", () => {
    expect(named("Training step")?.rows[0]?.slice(1)).toEqual(["1000 (900)", "–", "100 (50.0)"]);
    expect(named("Peak memory")?.rows[0]?.slice(1)).toEqual(["–", "–", "3.00"]);
  });

  test("have no column for a contestant that takes no part in the group", () => {
    const measured = resultsOf([
      measurement("training", "small", "stock", 1000),
      measurement("matmul", "64 nn", "jax", 10),
    ]);
    const jax = { id: "jax", label: "label of jax", threads: 1, only: ["matmul"] } as const;
    const tables = resultTables({ ...measured, contestants: [...measured.contestants, jax] });
    const named = (part: string) => tables.find(({ title }) => title.includes(part));
    expect(named("Training step")?.header).not.toContain("label of jax");
    expect(named("Training step")?.rows[0]).toHaveLength(4);
    expect(named("Matrix product")?.header.at(-1)).toBe("label of jax");
    expect(named("Matrix product")?.rows[0]?.slice(1, 4)).toEqual(["–", "–", "–"]);
  });

  test("that would be empty are left out", () => {
    expect(named("Matrix product")).toBeUndefined();
    expect(named("Distance")).toBeUndefined();
  });

  test("say of each target whether it is met", () => {
    const rows = named("Targets")?.rows ?? [];
    expect(rows[0]?.slice(1)).toEqual(["≥ 8", "10.00", "18.00", "yes"]);
    expect(rows[1]?.at(-1)).toBe("not measured");
  });

  test("compare the step with the peak of the hardware", () => {
    const hardware = {
      ...{ fusedMultiplyAdd: true, peakGflops: 50, peakGflopsAllThreads: 100 },
      ...{ copyGigabytes: 20, copyGigabytesAllThreads: 30 },
    };
    const table = resultTables({ ...results, hardware }).find(({ title }) =>
      title.startsWith("Distance"),
    );
    const leastMs = stepFlops("small") / 100e6;
    expect(table?.rows[0]?.[2]).toBe(digits(leastMs));
    expect(table?.rows[0]?.at(-1)).toBe(`${Math.round(leastMs)} %`);
  });

  test("hold the two forms of a loss against each other and against the goal", () => {
    const table = (mib: number) => lossPartTable({ ...resultsOf([]), lossParts: lossParts(mib) });
    expect(table(15).rows[0]).toEqual([
      "some-loss, vocabulary 32000",
      ...["20.0", "10.0", "0.500", "40.0", "20.0", "20.0", "20.0"],
    ]);
    expect(table(15).note).toContain("at most 0.2 of the plain peak, missed by some-loss.");
    expect(table(9).note).toContain("met by all.");
    expect(lossPartTable(resultsOf([])).rows).toEqual([]);
  });

  test("are aligned as text and escaped as Markdown", () => {
    const table = {
      title: "T",
      header: ["", "x"],
      rows: [
        ["a|b", "1"],
        ["c", "123"],
      ],
      note: "N",
    };
    expect(textTable(table)).toBe("T\n         x\n  a|b    1\n  c    123\n  N");
    expect(markdownTable(table)).toContain("| a\\|b | 1 |\n| c | 123 |\n\nN");
  });

  test("numbers have three significant digits", () => {
    expect([0.01234, 1.234, 12.34, 123.4, 1234.4, 0].map(digits)).toEqual([
      ...["0.012", "1.23", "12.3", "123", "1234", "0.00"],
    ]);
  });
});

describe("the report", () => {
  test("replaces what is between its marks, also when run again", () => {
    const page =
      "before\n<!-- benchmark: written by bench/report.ts -->\nold\n<!-- end -->\nafter\n";
    const block = reportBlocks(resultsOf([measurement("training", "small", "stock", 1)]));
    expect([...block.keys()]).toEqual(["benchmark"]);
    const text = block.get("benchmark") as string;
    const once = replaceBlock(page, "benchmark", text);
    expect(once).toContain("Some CPU");
    expect(once).toContain("Skipped: PyTorch");
    expect(once).not.toContain("old");
    expect(once).toMatch(/^before\n[\s\S]*\nafter\n$/);
    expect(replaceBlock(once, "benchmark", text)).toBe(once);
  });

  test("leaves the parts alone that a run has nothing for", () => {
    const page =
      "<!-- benchmark: written by bench/report.ts -->\nold\n<!-- end -->\n" +
      "<!-- loss-memory: written by bench/report.ts -->\nolder\n<!-- end -->\n";
    const blocks = reportBlocks({ ...resultsOf([]), lossParts: lossParts() });
    expect([...blocks.keys()]).toEqual(["loss-memory"]);
    const replaced = replaceBlock(page, "loss-memory", blocks.get("loss-memory") as string);
    expect(replaced).toContain("\nold\n");
    expect(replaced).not.toContain("older");
    expect(replaced).toContain("| some-loss, vocabulary 128000 | 50.0 | 15.0 | 0.300 |");
  });

  test.each([
    [512, "benchmark"],
    [256, "benchmark-256"],
  ] as const)("a CPU with vectors of %d bits fills the part %s", (bits, name) => {
    const results = resultsOf([measurement("training", "small", "stock", 1)]);
    const peaks = { peakGflops: 30, peakGflopsAllThreads: 60 };
    const copies = { copyGigabytes: 10, copyGigabytesAllThreads: 20 };
    const native = { bits, gflops: 100, gflopsAllThreads: 200 };
    const hardware = { fusedMultiplyAdd: true, ...peaks, ...copies, native };
    expect([...reportBlocks({ ...results, hardware }).keys()]).toEqual([name]);
  });

  test("needs the marks", () => {
    expect(() => replaceBlock("nothing", "benchmark", "x")).toThrow("The page has no");
  });
});

test("the matrix products of a step: six operations for each weight and token, and attention", () => {
  const block = 4 * 128 * 128 + 3 * 128 * 344;
  const weights = 4 * block + 128 * 512;
  expect(stepFlops("small")).toBe(6 * 1024 * (weights + 4 * 2 * 128 * 32));
});
