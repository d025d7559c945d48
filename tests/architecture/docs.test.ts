import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  describeLoss,
  type LossDefinition,
  lossDefinitions,
  lossFacts,
  readsLayers,
} from "../../src/losses/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = ["README.md", "docs", "examples"].flatMap((path) =>
  path.endsWith(".md")
    ? [path]
    : readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".md"))
        .map((name) => join(path, name)),
);
const read = (page: string) => readFileSync(join(root, page), "utf8");

test.each(pages)("the links of %s lead to files that exist", (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string);
  const files = links.filter((link) => !/^(https?:|mailto:|#)/.test(link));
  const broken = files.filter(
    (link) => !existsSync(join(root, dirname(page), link.replace(/#.*$/, ""))),
  );
  expect(broken).toEqual([]);
});

describe("docs/losses.md", () => {
  const text = read("docs/losses.md");
  const definitions: readonly LossDefinition[] = lossDefinitions;

  test.each(definitions)("says of $name all that its definition does", (definition) => {
    const section = text.split(`\n### ${definition.name}\n`)[1]?.split(/\n##/)[0] ?? "";
    const loss = describeLoss(definition);
    const facts = lossFacts(loss, (code) => `\`${code}\``);
    const chunked = definition.rowLosses === undefined ? [] : ["Large vocabularies"];
    const layers = readsLayers(definition) ? ["Layers"] : [];
    expect(facts.map(([label]) => label)).toEqual([
      ...["Formula", "Direction", "Inputs", "Gives", ...layers, ...chunked],
      ...["When to use", "Failure signature", "Paper"],
    ]);
    for (const [label, fact] of facts) expect(section).toContain(`- ${label}: ${fact}\n`);
    expect(section).toContain(`- File: [${loss.file}](../${loss.file})`);
    expect(existsSync(join(root, loss.file ?? "nowhere"))).toBe(true);
    for (const { name } of loss.fields) expect(section).toContain(`| \`${name}\` |`);
  });

  test.each(definitions)("has the mutants of $name", ({ name }) => {
    // The table of mutants, not that of masked vocabularies.
    const rows = text.split("\n").filter((line) => line.startsWith(`| \`${name}\` |`));
    const row = rows.find((line) => /\d\/\d/.test(line)) ?? "";
    const counts = [...row.matchAll(/(\d+)\/(\d+)/g)];
    expect(counts.length).toBeGreaterThan(0);
    for (const [, killed, planted] of counts) expect(killed).toBe(planted);
  });
});

test("whatever has a KL in its name or its first sentence says which way it goes", () => {
  for (const definition of lossDefinitions as readonly LossDefinition[]) {
    const { name, summary, direction } = definition;
    if (!/\bkl\b|KL\b/.test(`${name.replaceAll("-", " ")} ${summary}`)) continue;
    expect(direction, name).toMatch(/KL\((teacher|student|target) ‖ \w+\)/);
  }
});
