import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { metricsOf, runToEnd, stepsOf, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

const evaluation = { every: 0, rows: 2 };
const trainer = {
  type: "distill",
  steps: 2,
  batchSize: 4,
  onPolicyFraction: 0.5,
  loss: [{ type: "forward-kl" }],
};

describe("a run with several teachers", () => {
  test("of which each row has one counts the rows of each", async () => {
    const folder = temporaryFolder();
    const one = await saveTinyTeacher(folder, { name: "one" });
    const two = await saveTinyTeacher(folder, { name: "two", seed: 4 });
    const teachers = [{ from: one, when: { prompt: "^[0-4]" } }, { from: two }];
    const teacher = { type: "mixture", mode: "route", teachers };
    const config = tinyRun(join(folder, "runs"), { teacher, trainer, evaluation });
    await runToEnd(config);
    const steps = stepsOf(config);
    const counts = steps.map(({ routedRows = {} }) => routedRows);
    expect(counts).toHaveLength(2);
    for (const rows of counts) {
      expect(Object.values(rows).reduce((sum, count) => sum + count, 0)).toBe(4);
    }
    for (const { routedTokenShares: shares = {}, routedDivergences, diagnostics } of steps) {
      const divergences = routedDivergences as Record<string, Record<string, number>>;
      expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
      for (const name of ["forwardKl", "reverseKl"]) {
        // Every position is looked at here, so that the parts make up the whole.
        const whole = Object.entries(divergences).reduce(
          (sum, [teacher, kls]) => sum + (shares[teacher] as number) * (kls[name] as number),
          0,
        );
        expect(whole).toBeCloseTo(diagnostics[name] as number, 4);
      }
    }
    expect([...new Set(counts.flatMap((rows) => Object.keys(rows)))].sort()).toEqual([one, two]);
  });

  test("mixed with itself learns as from one", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const teachers = [{ from, weight: 2 }, { from }];
    const alone = tinyRun(join(folder, "alone"), { teacher: { from }, trainer, evaluation });
    const both = tinyRun(join(folder, "both"), {
      teacher: { type: "mixture", teachers },
      trainer,
      evaluation,
    });
    await runToEnd(alone);
    await runToEnd(both);
    for (const [i, row] of metricsOf(alone).entries()) {
      const other = metricsOf(both)[i] as Record<string, number>;
      for (const key of ["loss", "heldOut.forwardKl"]) {
        if (row[key] !== undefined) expect(other[key]).toBeCloseTo(row[key] as number, 5);
      }
    }
  });

  test.each([
    [
      "of different tokenizers",
      async (folder: string, from: string) => {
        const other = await saveTinyTeacher(folder, {
          name: "other",
          alphabet: "0123456789+=,:~x",
        });
        return { teachers: [{ from }, { from: other }] };
      },
      /teacher\.teachers: The teachers have different tokenizers \(17 and 18 ids\)/,
    ],
    [
      "with a rule that mode probabilities ignores",
      (_folder: string, from: string) => ({ teachers: [{ from, when: { prompt: "a" } }] }),
      /teacher\.teachers\.0\.when is \{"prompt":"a"\}: has no effect: set mode to "route"/,
    ],
    [
      "with a weight that mode route ignores",
      (_folder: string, from: string) => ({ mode: "route", teachers: [{ from, weight: 2 }] }),
      /teacher\.teachers\.0\.weight .*has no effect: set mode to "probabilities"/,
    ],
    [
      "one of which gets no row",
      (_folder: string, from: string) => ({ mode: "route", teachers: [{ from }, { from }] }),
      /teacher\.teachers\.0 .*takes every row, so no teacher after it gets any/,
    ],
    [
      "with a broken rule",
      (_folder: string, from: string) => ({
        mode: "route",
        teachers: [{ from, when: { prompt: "(" } }],
      }),
      /teacher\.teachers\.0\.when\.prompt is "\(": is not a regular expression/,
    ],
    [
      "with a misspelt field",
      (_folder: string, from: string) => ({ teachers: [{ form: from }] }),
      /teacher\.teachers\.0\.form is not a field\. Did you mean "from"/,
    ],
    [
      "that leave rows without one",
      (_folder: string, from: string) => ({
        mode: "route",
        teachers: [{ from, when: { prompt: "^1" } }],
      }),
      /"mixture" does not have row \d+ of the run\. It lacks \d+ of the 8 rows that this run reads\. A row goes to the first teacher/,
    ],
  ])("%s is refused before it starts", async (_name, change, message) => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const start = async () => {
      const teacher = { type: "mixture", ...(await change(folder, from)) };
      await runToEnd(tinyRun(join(folder, "runs"), { teacher, trainer, evaluation }));
    };
    await expect(start()).rejects.toThrow(message);
    expect(existsSync(join(folder, "runs"))).toBe(false);
  });
});
