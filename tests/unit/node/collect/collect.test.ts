import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { datasetSchema, parseConfig, prepareData } from "../../../../src/config/index.js";
import { characterTokenizer } from "../../../../src/data/index.js";
import {
  type CollectEvent,
  collectTraces,
  dataOnDisk,
  parseCollectConfig,
} from "../../../../src/node/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { additionAlphabet, saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

const addition = { type: "task", task: { type: "addition", maxDigits: 2 } };

async function collect(output: string, changes: object, report?: (event: CollectEvent) => void) {
  const given = { name: "c", output, problems: addition, count: 12, ...changes };
  const config = await parseCollectConfig(given, "test");
  return collectTraces({ config, ...(report && { report }) });
}

type Row = Record<string, unknown>;
const rowsOf = (path: string) =>
  readFileSync(join(path, "rows.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);

const oracle = { type: "oracle", styles: ["scratchpad", { style: "direct", errorRate: 1 }] };

test("a task's solutions, in two styles, are counted through a filter", async () => {
  const steps = [{ type: "correct" }];
  const { path, summary } = await collect(temporaryFolder(), { sampler: oracle, steps });
  expect(summary.counts).toEqual({
    ...{ problems: 12, sampled: 24, rows: 12 },
    steps: [{ type: "correct", kind: "filter", in: 24, out: 12 }],
  });
  const rows = rowsOf(path);
  expect(rows).toHaveLength(12);
  expect(rows.every(({ correct, finished }) => correct === true && finished === true)).toBe(true);
  expect(new Set(rows.map(({ source }) => source))).toEqual(new Set(["oracle scratchpad"]));
  const tokens = rows.reduce((sum, { completion }) => sum + (completion as string).length, 0);
  expect(summary.measures["meanTokens"]).toBeCloseTo(tokens / 12);
  // The wrong ones were paid for too: every character is a token, and every row has an end.
  expect(summary.cost.teacherTokens).toBeGreaterThan(tokens + 24);
  expect(summary.cost).toMatchObject({ studentTokens: 0, teacherForwards: 0, studentForwards: 0 });
});

test("a step goes by the attempts of an earlier collection", async () => {
  const output = temporaryFolder();
  const sampler = { type: "oracle", styles: [{ errorRate: 0.5 }] };
  const attempts = await collect(output, { name: "attempts", sampler });
  const { path } = await collect(output, {
    ...{ sampler: oracle, traces: join(attempts.path, "rows.jsonl") },
    steps: [{ type: "correct" }, { type: "solve-rate", of: "given", maximum: 0 }],
  });
  const failed = rowsOf(attempts.path).filter(({ correct }) => correct === false);
  expect(rowsOf(path).map(({ id }) => id)).toEqual(failed.map(({ id }) => id));
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(12);
});

test("how often the answer is given away before the end is measured", async () => {
  const sampler = { type: "oracle", styles: ["direct", "reversed"] };
  const steps = [{ type: "with-answer", ending: ":{answer}" }];
  const { summary } = await collect(temporaryFolder(), { sampler, steps });
  // "122:122" does; "~221:122" does only where it reads the same in both directions.
  const rows = summary.measures["answerLeak"] as number;
  expect(rows).toBeGreaterThanOrEqual(0.5);
  expect(rows).toBeLessThan(1);
});

test("the same seed gives the same bytes, another seed others; what is there is kept", async () => {
  const folder = temporaryFolder();
  const bytes = async (seed: number, name: string) => {
    const { path } = await collect(folder, { sampler: oracle, seed, name });
    return readFileSync(join(path, "rows.jsonl"), "utf8");
  };
  const first = await bytes(1, "a");
  expect(await bytes(1, "b")).toBe(first);
  expect(await bytes(2, "d")).not.toBe(first);
  const events: CollectEvent[] = [];
  const again = await collect(folder, { sampler: oracle, name: "a" }, (e) => events.push(e));
  expect(again.kept).toBe(true);
  expect(events).toEqual([]);
  await expect(collect(folder, { sampler: oracle, name: "a", count: 3 })).rejects.toThrow(
    "The folder holds another collection: count differ.",
  );
});

test("a folder that was damaged or holds something else is refused, and nothing is lost", async () => {
  const folder = temporaryFolder();
  const { path } = await collect(folder, { sampler: oracle });
  writeFileSync(join(path, "rows.jsonl"), "{}\n");
  await expect(collect(folder, { sampler: oracle })).rejects.toThrow(/rows\.jsonl/);
  rmSync(join(path, "collect.json"));
  await expect(collect(folder, { sampler: oracle })).rejects.toThrow("not empty");
});

test("says once where the context ends completions before maxNewTokens does", async () => {
  const folder = temporaryFolder();
  const student = await saveTinyTeacher(folder);
  const notes = async (maxNewTokens: number) => {
    const events: CollectEvent[] = [];
    const sampler = { type: "plain", samplesPerProblem: 1 };
    const changes = { name: `c${maxNewTokens}`, count: 2, student, maxNewTokens, sampler };
    await collect(folder, changes, (event) => events.push(event));
    return events.flatMap((event) => (event.type === "started" ? event.notes : [])).join("\n");
  };
  expect(await notes(50)).toMatch(
    /of the context of 32 tokens .* takes \d, which leaves \d+ of the 50 new tokens asked for/,
  );
  expect(await notes(5)).not.toContain("cut off");
});

test("a collection that is stopped writes nothing", async () => {
  const folder = temporaryFolder();
  const student = await saveTinyTeacher(folder);
  const stop = new AbortController();
  const config = await parseCollectConfig(
    {
      ...{ name: "c", output: folder, problems: addition, count: 12, student, maxNewTokens: 4 },
      sampler: { type: "plain", samplesPerProblem: 1 },
    },
    "test",
  );
  const report = ({ type }: CollectEvent) => type === "started" && stop.abort();
  await expect(collectTraces({ config, report, signal: stop.signal })).rejects.toThrow("abort");
  expect(() => rowsOf(join(folder, "c"))).toThrow("ENOENT");
});

test("rows that were cut off teach no end, and the file dataset reads all rows", async () => {
  const folder = temporaryFolder();
  const student = await saveTinyTeacher(folder);
  const sampler = { type: "plain", samplesPerProblem: 2 };
  const { path, summary } = await collect(folder, { student, sampler, maxNewTokens: 3 });
  const rows = rowsOf(path);
  const cut = rows.filter(({ finished }) => finished === false);
  expect(cut.length).toBeGreaterThan(0);
  expect(summary.measures["finishedShare"]).toBeCloseTo(1 - cut.length / rows.length);
  const tokenizer = characterTokenizer({ alphabet: additionAlphabet });
  const dataset = { type: "jsonl", path: join(path, "rows.jsonl"), validationFraction: 0.1 };
  const data = await prepareData(parseConfig(datasetSchema, dataset, "data"), {
    ...{ tokenizer, random: new Random(1), files: dataOnDisk() },
  });
  const read = await data.training.rows(0, data.training.size as number);
  const written = new Map(
    rows.map((row) => [`${String(row["prompt"])}${String(row["completion"])}`, row["finished"]]),
  );
  let ends = 0;
  for (const { ids } of read) {
    const hasEnd = ids.at(-1) === tokenizer.endIds[0];
    expect(written.get(tokenizer.decode(ids))).toBe(hasEnd);
    ends += Number(hasEnd);
  }
  expect(ends).toBeLessThan(read.length);
  data.dispose?.();
});

test("what a tool says is read and not learned", async () => {
  const problems = { type: "task", task: { type: "tool", maxHops: 1 } };
  const { path } = await collect(temporaryFolder(), { problems, sampler: { type: "oracle" } });
  const tokenizer = characterTokenizer({
    alphabet: "0123456789+-*= \n;?:RAOFabcdefghijklmnopqrstuvwxyz",
  });
  const dataset = { type: "jsonl", path: join(path, "rows.jsonl"), validationFraction: 0.1 };
  const data = await prepareData(parseConfig(datasetSchema, dataset, "data"), {
    ...{ tokenizer, random: new Random(1), files: dataOnDisk() },
  });
  for (const { ids, learned, completionStart } of await data.training.rows(0, 4)) {
    const part = (mark: number) =>
      tokenizer.decode(ids.filter((_, i) => i >= completionStart && learned?.[i] === mark));
    expect(part(0)).toMatch(/^(O:\d+\n)+$/);
    expect(part(1)).not.toContain("O:");
    expect(part(1)).toMatch(/F:\d+$/);
    expect(learned?.at(-1)).toBe(1);
  }
  data.dispose?.();
});

test("pairs are read by the dataset of pairs", async () => {
  const folder = temporaryFolder();
  const { path, summary } = await collect(folder, {
    sampler: { ...oracle, samplesPerProblem: 2 },
    pairs: { type: "contrastable", perProblem: 2 },
  });
  expect(summary.counts.rows).toBe(24);
  const tokenizer = characterTokenizer({ alphabet: additionAlphabet });
  const dataset = { type: "pairs", path: join(path, "rows.jsonl"), validationFraction: 0.1 };
  const data = await prepareData(parseConfig(datasetSchema, dataset, "data"), {
    ...{ tokenizer, random: new Random(1), files: dataOnDisk() },
  });
  const pairs = (await data.pairs?.pairs(0, 4)) ?? [];
  expect(pairs).toHaveLength(4);
  for (const { positive, negative } of pairs) {
    expect(positive.completionStart).toBe(negative.completionStart);
    expect(tokenizer.decode(positive.ids)).toContain(":");
    expect(tokenizer.decode(negative.ids)).not.toContain(":");
  }
});

test("pairs in a template ask for a correction, and their rows say what is right", async () => {
  const task = { type: "chain", wording: "symbols", style: "compact" };
  const { path } = await collect(temporaryFolder(), {
    problems: { type: "task", task, template: {} },
    sampler: { type: "oracle", errorRate: 1 },
    pairs: { type: "self-correction" },
  });
  for (const row of rowsOf(path)) {
    expect(row["prompt"]).toMatch(/\w=\S+ §.\nwait\n$/);
    expect(row["chosen"]).toMatch(/^\w=\S+ §.\n/);
    expect(row["answer"]).toMatch(/^\d+$/);
  }
  const tokenizer = characterTokenizer({
    alphabet: "0123456789+-*=;?§¤ \nabcdefghijklmnopqrstuvwxyz",
  });
  const rows = join(path, "rows.jsonl");
  const dataset = { type: "file", path: rows, validationPath: rows, verifier: { type: "number" } };
  const data = await prepareData(parseConfig(datasetSchema, dataset, "data"), {
    ...{ tokenizer, random: new Random(1), files: dataOnDisk() },
  });
  const [set] = data.evaluation;
  expect(set?.prompts).toHaveLength(12);
  expect(set?.verify?.(0, tokenizer.encode(String(rowsOf(path)[0]?.["answer"])))).toBe(true);
  expect(set?.verify?.(0, tokenizer.encode("x"))).toBe(false);
  data.dispose?.();
});

test("rows of a file with a verifier are problems, each once", async () => {
  const folder = temporaryFolder();
  const lines = Array.from({ length: 10 }, (_, i) => ({
    ...{ prompt: `${i}+1=`, completion: `so ${i + 1}`, answer: String(i + 1) },
  }));
  writeFileSync(join(folder, "d.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const verifier = { type: "last-number" };
  const problems = { type: "jsonl", path: join(folder, "d.jsonl"), verifier };
  const { path } = await collect(folder, {
    ...{ problems, count: undefined, sampler: { type: "given" } },
  });
  const rows = rowsOf(path);
  expect(rows).toHaveLength(9);
  expect(new Set(rows.map(({ prompt }) => prompt)).size).toBe(9);
  expect(rows[0]).toMatchObject({ correct: true, source: "data" });
  await expect(
    collect(folder, { problems, count: 20, sampler: { type: "given" }, name: "e" }),
  ).rejects.toThrow("d.jsonl has 9 problems to train on");
  await expect(collect(folder, { problems, sampler: oracle, name: "f" })).rejects.toThrow(
    /d\.jsonl has no solutions by rule \(solve\)\. The tasks that can: addition, chain/,
  );
});

describe("what cannot work is refused before anything runs", () => {
  test.each([
    [{ sampler: { type: "plain" } }, 'The sampler "plain" needs a student, and none is given.'],
    [{ sampler: { type: "mixed" }, student: "s" }, "s: The model folder does not exist"],
    [{ sampler: { type: "tool-loop" } }, /task addition does not answer actions.*tool/],
    [{ sampler: oracle, count: undefined }, "has no end: say how many problems"],
    [{ sampler: oracle, steps: [{ type: "min-prob" }] }, /"min-prob" needs a student/],
    [
      { sampler: oracle, steps: [{ type: "solve-rate", of: "given" }] },
      /"solve-rate" needs the traces of an earlier collection, and none are named/,
    ],
    [{ sampler: oracle, problems: { type: "text", path: "x.txt" } }, /x\.txt/],
    [{ sampler: { type: "orcale" } }, /sampler\.type is "orcale"\. Did you mean "oracle"/],
    [{ sampler: oracle, steps: [{ type: "corect" }] }, /Did you mean "correct"/],
    [{ sampler: { type: "oracle", styles: ["tense"] } }, /style/],
  ])("%j", async (changes, message) => {
    await expect(collect(temporaryFolder(), changes)).rejects.toThrow(message);
  });

  test("no rows left is an error that names the step", async () => {
    const steps = [{ type: "any" }, { type: "length-band", minimum: 99 }];
    await expect(collect(temporaryFolder(), { sampler: oracle, steps })).rejects.toThrow(
      'steps.1: "length-band" left nothing of 24 traces (12 of them right, of 12 problems).',
    );
    const wrong = { type: "oracle", errorRate: 1 };
    await expect(
      collect(temporaryFolder(), { sampler: wrong, pairs: { type: "contrastable" } }),
    ).rejects.toThrow('pairs: "contrastable" left nothing of 12 traces (0 of them right');
  });
});
