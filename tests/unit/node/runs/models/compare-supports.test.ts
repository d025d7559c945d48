import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { supportTable } from "../../../../../src/cli/commands/studies/compare-supports.js";
import { compareRunSupports, resolveSupports } from "../../../../../src/node/index.js";
import { tinyConfig } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const teacher = { type: "hidden-markov", states: 2 };
const words = ["positions=3", "draws=3", "k=1,4"];

function configFile(changes: object): string {
  const path = join(temporaryFolder(), "run.json");
  const trainer = { type: "distill", steps: 1, loss: [{ type: "reverse-kl" }] };
  writeFileSync(path, JSON.stringify(tinyConfig("runs", { trainer, ...changes })));
  return path;
}

test("a table of a config's student and a teacher whose distribution is known", async () => {
  const request = await resolveSupports(configFile({ teacher }), [...words, "seed=7"]);
  expect(request).toMatchObject({ positions: 3, draws: 3, ks: [1, 4], config: { seed: 7 } });
  const report = await compareRunSupports(request);
  expect(report).toMatchObject({ positions: 3, seed: 7, student: "fresh weights" });
  expect(new Set(report.rows.map(({ k }) => k))).toEqual(new Set([1, 4]));
  const table = supportTable(report);
  expect(table).toContain("3 held-out positions");
  // The student is small: gradients by its logits and by its parameters.
  expect(report.gradients).toBe("both");
  expect(table).toMatch(
    /\| forward \| top-k tail \| 4 \| [\d.e-]+ \| 0 \| [\d.]+ \| [\d.e-]+ \| 0 \| [\d.]+ \|/,
  );
  expect(table).toContain("| cosine | bias² θ | variance θ | cosine θ |");
  expect(table).toMatch(/the student's logits and to its [\d,]+ parameters \(θ\)/);
  expect(table).toMatch(/\| reverse \| tokens k2 \| 1 \| .* ± .* \| .* ± .* \| .* ± .* \|/);
});

test("gradients of one kind alone", async () => {
  for (const [gradients, columns, title] of [
    ["logits", "| k | bias² | variance | cosine |\n", "the student's logits;"],
    ["parameters", "| k | bias² θ | variance θ | cosine θ |\n", "to its"],
  ] as const) {
    const asked = [...words, "k=1", `gradients=${gradients}`].filter((word) => word !== "k=1,4");
    const report = await compareRunSupports(await resolveSupports(configFile({ teacher }), asked));
    expect(report.rows.every((row) => "parameters" in row === (gradients !== "logits"))).toBe(true);
    expect(supportTable(report)).toContain(columns);
    expect(supportTable(report)).toContain(title);
  }
});

test("positions are spread over the held-out rows: no row makes up for a short one", async () => {
  const path = join(temporaryFolder(), "rows.jsonl");
  const rows = ["1", "11111111", "22222222", "33333333"].map((completion) => ({
    ...{ prompt: "a", completion },
  }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  // All rows of the file are held out; each ends with a token that is learned too.
  const data = { type: "jsonl", path, validationPath: path };
  const trainer = {
    type: "distill",
    steps: 1,
    onPolicyFraction: 0,
    loss: [{ type: "reverse-kl" }],
  };
  const found = async (positions: number) => {
    const asked = [`positions=${positions}`, "draws=3", "k=1", "gradients=logits"];
    const config = configFile({ teacher, data, trainer, evaluation: { rows: 4 } });
    return (await compareRunSupports(await resolveSupports(config, asked))).positions;
  };
  expect(await found(1)).toBe(1);
  // Two of a row at the most, and of the last as many as are left.
  expect(await found(5)).toBe(5);
  expect(await found(8)).toBe(8);
  // Three of each, and two of the short row, which has no more.
  expect(await found(12)).toBe(11);
  expect(await found(1000)).toBe(2 + 3 * 9);
});

test.each([
  [{ teacher }, ["gradients=weights"], '"weights" is nothing to differentiate by'],
  [{ teacher }, ["draws=2"], "2 is no whole number from 3"],
  [{ teacher }, ["k=1,x"], "x is no whole number from 1"],
])("explains %j %j", async (changes, more, message) => {
  await expect(resolveSupports(configFile(changes), more)).rejects.toThrow(message);
});

test.each([
  [{ trainer: { type: "sft", steps: 1 } }, [], "no teacher to say little about"],
  [{ teacher }, ["draws=9999999"], "positions="],
])("refuses %j %j", async (changes, more, message) => {
  const request = await resolveSupports(configFile(changes), [...words, ...more]);
  await expect(compareRunSupports(request)).rejects.toThrow(message);
});
