import { describe, expect, test } from "vitest";
import { exampleLoss } from "../../../playground/src/training/example-loss.js";
import { checkLosses, linked, lossesOf } from "../../../playground/src/training/own-loss.js";

/** As a browser imports a blob. */
const importText = async (source: string) =>
  (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`)) as object;

describe("a loss of one's own in the playground", () => {
  test("the example passes every check", { timeout: 600_000 }, async () => {
    const outcome = await checkLosses(exampleLoss, importText);
    const problems = outcome.losses.flatMap(({ checks }) => checks.flatMap((c) => c.problems));
    expect(problems).toEqual([]);
    expect(outcome.total).toBeGreaterThan(30);
    expect(outcome.losses.map(({ name }) => name)).toEqual(["sure-kl"]);
  });

  test("one with a wrong claim does not pass", { timeout: 600_000 }, async () => {
    const wrong = exampleLoss.replace("teacher.sub(student)", "student.sub(teacher)");
    expect(wrong).not.toBe(exampleLoss);
    const outcome = await checkLosses(wrong, importText);
    expect(outcome.failed).toBeGreaterThan(0);
    const failed = outcome.losses.flatMap(({ checks }) =>
      checks.filter(({ problems }) => problems.length > 0).map(({ check }) => check),
    );
    expect(failed.join("\n")).toContain("never negative");
  });

  test("imports are taken from the page, line for line", () => {
    const source =
      'import * as tf from "@tensorflow/tfjs-core";\nimport {\n  z as zod,\n} from "zod";\nx';
    const lines = linked(source).split("\n");
    expect(lines).toHaveLength(source.split("\n").length);
    expect(lines[0]).toMatch(/^const tf = globalThis\.\w+\["@tensorflow\/tfjs-core"\];$/);
    expect(lines[1]).toMatch(/^const \{ z: zod \} = /);
    expect(lines.at(-1)).toBe("x");
  });

  test.each([
    ['import fs from "node:fs";', 'there is no module "node:fs" here'],
    ['import { nothing } from "pupil";', '"pupil" has no nothing here'],
    ['import zod from "zod";', "cannot be imported so"],
    ["const x = 1;", "exports no loss"],
    ["export const x = ;", "The module does not run"],
    [
      exampleLoss.replace('name: "sure-kl"', 'name: "forward-kl"'),
      'The name "forward-kl" is taken by a built-in loss',
    ],
  ])("is refused in words: %s", async (source, message) => {
    await expect(lossesOf(source, importText)).rejects.toThrow(message);
  });
});
