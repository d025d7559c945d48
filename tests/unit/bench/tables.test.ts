import { describe, expect, test } from "vitest";
import { replaceBlock, reportBlock } from "../../../bench/report-block.js";
import type { BenchmarkResults, Measurement } from "../../../bench/results.js";
import { stepFlops } from "../../../bench/scenarios.js";
import { digits, markdownTable, resultTables, textTable } from "../../../bench/tables.js";
import { compareWithTargets } from "../../../bench/targets.js";

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
      "generation",
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
    const block = reportBlock(resultsOf([]));
    const once = replaceBlock(page, block);
    expect(once).toContain("Some CPU");
    expect(once).toContain("Skipped: PyTorch");
    expect(once).not.toContain("old");
    expect(once).toMatch(/^before\n[\s\S]*\nafter\n$/);
    expect(replaceBlock(once, block)).toBe(once);
  });

  test("needs the marks", () => {
    expect(() => replaceBlock("nothing", "x")).toThrow("The page has no");
  });
});

test("the matrix products of a step: six operations for each weight and token, and attention", () => {
  const block = 4 * 128 * 128 + 3 * 128 * 344;
  const weights = 4 * block + 128 * 512;
  expect(stepFlops("small")).toBe(6 * 1024 * (weights + 4 * 2 * 128 * 32));
});
