import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { byteTokenizer, compileChatTemplate } from "../../../../src/data/index.js";
import { inspectData, loadTokenizer, resolveData } from "../../../../src/node/index.js";
import { messageOf } from "../../../setup/data/data-rows.js";
import { runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

function jsonlFile(): string {
  const path = join(temporaryFolder(), "rows.jsonl");
  const rows = Array.from({ length: 20 }, (_, i) => ({ prompt: `${i % 5}=`, completion: "1" }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

test("shows the rows of the first step as a run would see them", async () => {
  const config = tinyRun(temporaryFolder(), { data: { type: "file", path: jsonlFile() } });
  const inspection = await inspectData(config, 2);
  if (inspection.kind !== "rows") throw new Error("not rows");
  expect(inspection.lengths).toHaveLength(18);
  expect(inspection.report?.sources[0]).toMatchObject({ rows: 20, duplicates: 15 });
  expect(inspection.examples).toHaveLength(2);
  const [first] = inspection.examples;
  expect(first?.id).toMatch(/rows\.jsonl:\d+$/);
  expect(first?.tokens.map(({ learned }) => learned)).toEqual([false, false, true, true]);
  expect(first?.tokens.at(-1)?.text).toBe("<end>");
});

test("pairs with both answers", async () => {
  const path = join(temporaryFolder(), "pairs.jsonl");
  const rows = ["12", "345"].map((chosen) => ({ prompt: "1=", chosen, rejected: "9" }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  const config = tinyRun(temporaryFolder(), {
    data: { type: "pairs", path, validationFraction: 0.5 },
    trainer: { type: "pairs", steps: 1, batchSize: 1, loss: [{ type: "redi" }] },
  });
  const inspection = await inspectData(config, 2);
  if (inspection.kind !== "rows") throw new Error("not rows");
  expect(inspection.lengths).toEqual([5, 4]);
  expect(inspection.examples.map(({ id }) => id.replace(/^.*:/, ""))).toEqual([
    "1, preferred",
    "1, rejected",
  ]);
  expect(inspection.examples.map(({ tokens }) => tokens.length)).toEqual([5, 4]);
});

test("lists to rank", async () => {
  const folder = temporaryFolder();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const data = {
    type: "rerank",
    corpus: write("corpus.tsv", "d1\tthe first one\nd2\tanother\n"),
    queries: write("queries.tsv", "q1\tfirst\n"),
    qrels: write("qrels.txt", "q1 0 d1 1\nq1 0 d2 0\n"),
    run: write("run.txt", "q1 Q0 d2 1 2 x\nq1 Q0 d1 2 1 x\n"),
    validationFraction: 1,
  };
  const inspection = await inspectData(tinyRun(folder, { data }), 2);
  expect(inspection).toMatchObject({
    kind: "lists",
    report: { lists: 1 },
    examples: [{ query: "first", candidates: [{ grade: 0 }, { text: "the first one", grade: 1 }] }],
    notes: [
      // The right one is second: 1 / log2(3).
      "Baseline: the order of the run has nDCG@1/5/10 of 0.0000 / 0.6309 / 0.6309 on the lists to validate on.",
      "Baseline: BM25 over all 2 passages has nDCG@1/5/10 of 1.0000 / 1.0000 / 1.0000 on the lists to validate on.",
    ],
  });
});

test("a config with a wrong name says so", async () => {
  const path = join(temporaryFolder(), "run.json");
  const config = tinyRun("runs", { data: { type: "file", path: "a.jsonl" } });
  writeFileSync(path, JSON.stringify(config));
  expect(await messageOf(resolveData(path, ["data.field=x"]))).toMatch(
    /data\.field is not a field\. Did you mean "fields"\?/,
  );
});

test("what became of the rows is in the run's summary", async () => {
  const data = { type: "jsonl", path: jsonlFile() };
  const config = tinyRun(temporaryFolder(), { data, evaluation: { every: 0, rows: 2 } });
  await runToEnd(config);
  const file = join(config.output, config.name, "summary.json");
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
    data: {
      trainingRows: 18,
      validationRows: 2,
      sources: [{ rows: 20, kept: 20, duplicates: 15 }],
    },
  });
});

test("chat_template.jinja beside a tokenizer comes before its config's template", async () => {
  const folder = join(temporaryFolder(), "model");
  mkdirSync(folder);
  const tokenizer = byteTokenizer();
  // Not one of our own kinds: those write their own config.
  const json = { ...tokenizer.toJson(), normalizer: { type: "NFC" } };
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(json));
  const config = { ...tokenizer.toConfigJson(), chat_template: "old" };
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "chat_template.jinja"), "new {{ messages[0].content }}");
  const template = await compileChatTemplate(await loadTokenizer(folder));
  expect(template.render({ messages: [{ role: "user", content: "hi" }] })).toBe("new hi");
});

describe("the tokenizer is the one that a run would take", () => {
  /** A folder with a model that reads bytes, and one with an adapter on it. */
  async function models(): Promise<{ folder: string; base: string; adapter: string }> {
    const folder = temporaryFolder();
    const data = { type: "jsonl", path: jsonlFile() };
    const tokenizer = { type: "byte" };
    const evaluation = { every: 0, rows: 2 };
    const trainer = { type: "sft", steps: 1, batchSize: 2 };
    const parts = { data, evaluation, trainer };
    await runToEnd(tinyRun(folder, { ...parts, name: "base", tokenizer }));
    const base = join(folder, "base");
    await runToEnd(
      tinyRun(folder, { ...parts, name: "adapter", student: { from: base, lora: { rank: 1 } } }),
    );
    return { folder, base, adapter: join(folder, "adapter") };
  }
  const idsWith = async (changes: object) => {
    const data = { type: "jsonl", path: jsonlFile() };
    const inspection = await inspectData(tinyRun(temporaryFolder(), { data, ...changes }), 1);
    return inspection.kind === "rows" ? inspection.vocabSize : undefined;
  };

  test("of an adapter, a server, several teachers, or the student's beside an aligned one", async () => {
    const { base, adapter } = await models();
    const bytes = 258;
    const server = { type: "http", server: "vllm", url: "http://localhost:8000", model: "m" };
    const tokenizer = join(base, "checkpoints", "step-1");
    expect(await idsWith({ student: { from: adapter } })).toBe(bytes);
    expect(await idsWith({ teacher: { from: adapter } })).toBe(bytes);
    expect(await idsWith({ teacher: { ...server, topK: 3, tokenizer } })).toBe(bytes);
    expect(await idsWith({ teacher: { type: "mixture", teachers: [{ from: base }] } })).toBe(bytes);
    const characters = await idsWith({});
    expect(characters).toBeLessThan(bytes);
    expect(await idsWith({ teacher: { from: base }, alignment: {} })).toBe(characters);
  });

  test("a run folder shows its own data", async () => {
    const { base } = await models();
    const inspection = await inspectData(await resolveData(base, []), 1);
    expect(inspection).toMatchObject({ kind: "rows", vocabSize: 258 });
  });
});

describe("what is shown of data", () => {
  const inspect = async (changes: object, count: number) => {
    const inspection = await inspectData(tinyRun(temporaryFolder(), changes), count);
    if (inspection.kind !== "rows") throw new Error("not rows");
    return inspection;
  };

  test("of a task: as many rows of the first step as are asked for, by their places", async () => {
    const trainer = { type: "sft", steps: 1, batchSize: 3 };
    const { examples, lengths, report } = await inspect({ trainer }, 2);
    expect(examples.map(({ id }) => id)).toEqual(["row 1", "row 2"]);
    expect([lengths, report]).toEqual([undefined, undefined]);
    // No more than the step has.
    expect((await inspect({ trainer }, 9)).examples).toHaveLength(3);
    expect((await inspect({ trainer }, 0)).examples).toEqual([]);
  });

  test("of pairs that a task makes: both answers of each, by their places", async () => {
    const trainer = { type: "pairs", steps: 1, batchSize: 2, loss: [{ type: "redi" }] };
    const { examples } = await inspect({ trainer }, 5);
    expect(examples.map(({ id }) => id)).toEqual([
      ...["row 1, preferred", "row 1, rejected", "row 2, preferred", "row 2, rejected"],
    ]);
    const texts = examples.map(({ tokens }) => tokens.map(({ text }) => text).join(""));
    expect(texts[0]).not.toBe(texts[1]);
  });

  test("with what is to be said of it, and rows no longer than the models read", async () => {
    const folder = temporaryFolder();
    const rows = [1, 8, 40].map((n) => ({ prompt: "1", completion: "2".repeat(n) }));
    const path = join(folder, "rows.jsonl");
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
    const data = { type: "jsonl", path, longRows: "drop", validationFraction: 0.34 };
    const count = async (changes: object) => {
      const { report, notes } = await inspect({ data, ...changes }, 1);
      expect(notes.join()).toContain("rows");
      return (report?.trainingRows ?? 0) + (report?.validationRows ?? 0);
    };
    const from = await saveTinyTeacher(folder);
    expect(await count({})).toBe(3);
    expect(await count({ student: { from } })).toBe(2);
    expect(await count({ teacher: { from } })).toBe(2);
    // One that has its own tokenizer beside the run's reads other rows.
    expect(await count({ teacher: { from }, alignment: {} })).toBe(3);
  });
});
