import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  checkedLoss,
  describeLoss,
  lossChecks,
  type LossDefinition,
  lossDefinitions,
  lossesByKind,
  lossTermSchema,
  problemsOf,
} from "../../src/losses/index.js";

const definitions: readonly LossDefinition[] = lossDefinitions;

describe("the list of losses", () => {
  test.each(Object.entries(lossesByKind))("has one entry per file of %s/", (kind, losses) => {
    const folder = new URL(`../../src/losses/${kind}`, import.meta.url);
    const files = existsSync(folder) ? readdirSync(folder) : [];
    const names = files.map((file) => file.replace(/\.ts$/, "")).filter((n) => n !== "index");
    expect(losses.map(({ name }) => name).sort()).toEqual(names.sort());
  });

  test.each(definitions)("$name can be configured by its name alone", (definition) => {
    const term = lossTermSchema.parse({ type: definition.name });
    expect(term).toEqual({ type: definition.name, weight: 1, ...definition.config.parse({}) });
    const unknown = lossTermSchema.safeParse({ type: definition.name, temprature: 2 });
    expect(z.prettifyError(unknown.error as z.ZodError)).toContain("temprature");
  });

  test.each(definitions)("$name describes itself, its options and its examples", (definition) => {
    const { fields, ...description } = describeLoss(definition);
    const { summary, formula, reference, whenToUse, failureSignature } = description;
    expect(reference).toMatch(/https?:/);
    expect(formula).not.toBe("");
    for (const sentence of [summary, whenToUse, failureSignature]) {
      expect(sentence).toMatch(/\w.*\.$/);
    }
    for (const field of fields) {
      expect(field.description, field.name).toMatch(/\.$/);
      expect(field.default, field.name).toBeDefined();
      expect(field.type, field.name).not.toBe("undefined");
    }
    // A loss without options has one configuration.
    expect(definition.examples.length).toBeGreaterThanOrEqual(fields.length === 0 ? 1 : 2);
    if ("temperature" in definition.config.shape) {
      const temperatures = definition.examples.map(
        (e) => definition.config.parse(e)["temperature"],
      );
      expect(temperatures.some((temperature) => temperature !== 1)).toBe(true);
    }
  });
});

const cases = definitions.flatMap((definition) =>
  definition.examples.map((example) => ({
    title: `${definition.name} ${JSON.stringify(example)}`,
    definition,
    example,
  })),
);

describe.each(cases)("$title", ({ definition, example }) => {
  const loss = checkedLoss(definition, example);
  // Only those that apply, so that nothing is reported as skipped.
  const checks = lossChecks.filter((check) => check.applies(definition));
  test.each(checks)("$name", async (check) => {
    expect(problemsOf(await check.run(loss))).toEqual([]);
  });
});
