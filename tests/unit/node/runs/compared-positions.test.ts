/** At which positions `compare-supports` looks, and what it refuses, to the letter. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import { compareRunSupports, resolveSupports } from "../../../../src/node/index.js";
import { fakeTeacherServer } from "../../../setup/servers/fake-teacher-server.js";
import { runToEnd, tinyConfig, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

const teacher = { type: "hidden-markov", states: 2 };
const trainer = { type: "distill", steps: 1, onPolicyFraction: 0, loss: [{ type: "reverse-kl" }] };

type Row = readonly [prompt: string, completion?: string];

function configOf(rows: readonly Row[], changes: object = {}): string {
  const folder = temporaryFolder();
  const path = join(folder, "rows.jsonl");
  const lines = rows.map(([prompt, completion]) => JSON.stringify({ prompt, completion }));
  writeFileSync(path, lines.join("\n"));
  const config = tinyConfig("runs", {
    ...{ teacher, trainer, tokenizer: { type: "character", characters: "abcdef" } },
    data: { type: "jsonl", path, validationPath: path },
    evaluation: { rows: rows.length },
    ...changes,
  });
  writeFileSync(join(folder, "run.json"), JSON.stringify(config));
  return join(folder, "run.json");
}

const reportOf = async (config: string, ...words: string[]) =>
  compareRunSupports(await resolveSupports(config, ["draws=3", "k=2", ...words]));

/** Mean divergences at some positions of some rows, of one student and one teacher. */
async function klAt(rows: readonly Row[], positions: number): Promise<number[]> {
  const { forwardKl, reverseKl } = await reportOf(
    configOf(rows),
    ...[`positions=${positions}`, "gradients=logits"],
  );
  return [forwardKl, reverseKl];
}

const close = (values: readonly number[], expected: readonly number[]) => {
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
};
const mean = (...values: readonly number[][]) =>
  (values[0] as number[]).map(
    (_, i) => values.reduce((s, v) => s + (v[i] as number), 0) / values.length,
  );

describe("the positions", () => {
  test("of a row are spread over what is learned of it, from its first one on", async () => {
    // b, c, d and the end are learned; what is before a token is all that decides.
    const first = await klAt([["a", "bcd"]], 1);
    close(await klAt([["a", "b"]], 1), first);
    const third = await klAt([["abc", "d"]], 1);
    expect(Math.abs((first[0] as number) - (third[0] as number))).toBeGreaterThan(1e-4);
    close(await klAt([["a", "bcd"]], 2), mean(first, third));
    const [second, fourth] = [await klAt([["ab", "cd"]], 1), await klAt([["abcd", ""]], 1)];
    close(await klAt([["a", "bcd"]], 4), mean(first, second, third, fourth));
    close(await klAt([["a", "bcd"]], 9), mean(first, second, third, fourth));
  });

  test("of several rows are those of each", async () => {
    const [one, two, three] = [
      ["a", "b"],
      ["cd", "ef"],
      ["f", "a"],
    ] as const satisfies Row[];
    const firsts = [await klAt([one], 1), await klAt([two], 1), await klAt([three], 1)] as const;
    close(await klAt([one, two, three], 3), mean(...firsts));
    // One of each at the most, and no more rows than are needed.
    close(await klAt([one, two, three], 2), mean(firsts[0], firsts[1]));
    close(await klAt([one, two, three], 1), firsts[0]);
  });
});

describe("a report", () => {
  test("says of what it is", async () => {
    const report = await reportOf(configOf([["a", "b"]]), "positions=2", "seed=3");
    expect(report).toMatchObject({
      ...{ student: "fresh weights", teacher: expect.stringContaining("hidden") as string },
      ...{ seed: 3, positions: 2, gradients: "both" },
    });
    expect(report.vocabSize).toBeGreaterThan(6);
    expect(report.numParameters).toBeGreaterThan(report.vocabSize * 8);
    expect(report.rows.every(({ parameters }) => parameters !== undefined)).toBe(true);
  });

  test("is of the trained student of a run folder too", async () => {
    const output = temporaryFolder();
    const from = await saveTinyTeacher(output);
    const run = tinyRun(output, { teacher: { from }, trainer, evaluation: { every: 0, rows: 2 } });
    await runToEnd(run);
    const path = join(output, "tiny");
    const report = await reportOf(path, "positions=2", "gradients=logits");
    expect(report).toMatchObject({ student: path, gradients: "logits" });
    const asked = await resolveSupports(path, ["model=other"]);
    expect(asked.config.student).toEqual({ from: "other" });
  });
});

describe("what is asked", () => {
  test("has its defaults, and each word its place", async () => {
    const config = configOf([["a", "b"]]);
    expect(await resolveSupports(config, [])).toMatchObject({
      ...{ positions: 64, draws: 100, ks: [1, 4, 16, 64], gradients: undefined, json: undefined },
    });
    const words = ["positions=1", "draws=3", "k=1", "gradients=both", "json=a=b.json", "seed=9"];
    expect(await resolveSupports(config, words)).toMatchObject({
      ...{ positions: 1, draws: 3, ks: [1], gradients: "both", json: "a=b.json" },
      config: { seed: 9 },
    });
    // Words that only begin like these are the config's.
    await expect(resolveSupports(config, ["kind=3"])).rejects.toThrow(/kind/);
  });

  test.each([
    ["positions=0", "positions: 0 is no whole number from 1. Use: positions=64."],
    ["positions=-1", "positions: -1 is no whole number from 1. Use: positions=64."],
    ["draws=2", "draws: 2 is no whole number from 3. Use: draws=100."],
    ["draws=3.5", "draws: 3.5 is no whole number from 3. Use: draws=100."],
    ["k=4,0", "k: 0 is no whole number from 1. Use: k=1,4,16,64."],
    ["k=", "k:  is no whole number from 1. Use: k=1,4,16,64."],
    [
      "gradients=logit",
      'gradients: "logit" is nothing to differentiate by. Did you mean "logits"? Allowed: logits, parameters, both.',
    ],
  ])("is refused where it cannot be: %s", async (word, message) => {
    await expect(resolveSupports(configOf([["a", "b"]]), [word])).rejects.toThrow(message);
  });
});

describe("what cannot be compared", () => {
  test("no teacher, or one that gives some of its distribution", async () => {
    const alone = configOf([["a", "b"]], {
      teacher: undefined,
      trainer: { type: "sft", steps: 1 },
    });
    await expect(reportOf(alone)).rejects.toThrow(
      "teacher: There is no teacher to say little about. Give one whose distribution is known, such as a model folder or an n-gram.",
    );
    const tokenizer = characterTokenizer({ alphabet: "abcdef" });
    const { url } = await fakeTeacherServer({ tokenizer });
    const path = join(temporaryFolder(), "tokenizer.json");
    writeFileSync(path, JSON.stringify(tokenizer.toJson()));
    const served = { type: "http", server: "vllm", url, model: "fake", tokenizer: path, topK: 2 };
    const sparse = { ...trainer, loss: [{ type: "sparse-kl" }] };
    const few = configOf([["a", "b"]], {
      ...{ teacher: served, trainer: sparse, tokenizer: undefined },
    });
    await expect(reportOf(few)).rejects.toThrow(
      "teacher: The teacher does not give its whole distribution. Use one that is in this process, without topK and samples",
    );
  });

  test("rows without anything learned", async () => {
    const config = configOf([["ab"]], {
      trainer: { ...trainer, onPolicyFraction: 1 },
    });
    const report = reportOf(config, "positions=2", "gradients=logits");
    await expect(report).rejects.toThrow(
      "data: The held-out rows have no position to compare at. Use data whose rows have completions.",
    );
  });

  test("more than there is room for, with how much would be", async () => {
    const config = configOf([["a", "b"]]);
    const { vocabSize, numParameters } = await reportOf(config, "positions=2");
    // 2^26 numbers of all draws of one way.
    const draws = Math.ceil(2 ** 26 / vocabSize) - 1;
    await expect(reportOf(config, "positions=2", `draws=${draws}`)).rejects.toThrow(
      `positions: 2 positions of ${vocabSize} tokens in ${draws} draws do not fit. Use positions=1, or fewer draws.`,
    );
    await expect(reportOf(config, "positions=2", `draws=${2 ** 26}`)).rejects.toThrow(
      "Use positions=1, or fewer draws.",
    );
    const count = (n: number) => n.toLocaleString("en-US");
    const few = Math.floor(2 ** 26 / numParameters);
    const asked = [`draws=${few + 1}`, "positions=1", "gradients=parameters"];
    await expect(reportOf(config, ...asked)).rejects.toThrow(
      `gradients: Gradients by ${count(numParameters)} parameters in ${few + 1} draws do not fit. Use gradients=logits, a smaller student, or at most ${count(few)} draws.`,
    );
  });
});
