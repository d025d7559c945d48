import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  datasetSchema,
  filesInMemory,
  type PreparedData,
  prepareData,
} from "../../../../src/config/index.js";
import { byteTokenizer, dataFile, type TokenSequence } from "../../../../src/data/index.js";
import { dataOnDisk } from "../../../../src/node/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { messageOf } from "../../../setup/data/data-rows.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const tokenizer = byteTokenizer();
const rows = Array.from({ length: 60 }, (_, i) => ({
  prompt: `${i}+1=`,
  completion: "x".repeat(1 + (i % 9)),
  answer: `x`,
}));
const jsonl = (list: readonly object[]) => list.map((row) => JSON.stringify(row)).join("\n");

function folder(files: Record<string, string>): string {
  const path = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const prepare = (config: object) =>
  prepareData(datasetSchema.parse(config), {
    tokenizer,
    files: dataOnDisk(),
    random: new Random(1),
    evaluationRows: 4,
  });

async function batchesAt(data: PreparedData, steps: readonly number[], count: number) {
  const batches: (readonly TokenSequence[])[] = [];
  for (const step of steps) batches.push(await data.training.rows(step, count));
  return batches;
}

describe("data of type file", () => {
  test("the same rows as JSONL, JSON and CSV give the same batches; jsonl is an alias", async () => {
    const csv = rows.map(({ prompt, completion, answer }) => `${prompt},${completion},${answer}`);
    const path = folder({
      "a.jsonl": jsonl(rows),
      "a.json": JSON.stringify(rows),
      "a.csv": `prompt,completion,answer\n${csv.join("\n")}`,
    });
    const batchesOf = async (config: object) => {
      const data = await prepare(config);
      const batches = await batchesAt(data, [0, 5, 9], 8);
      return { ids: batches.flat().map(({ ids }) => ids), data };
    };
    const alias = await batchesOf({ type: "jsonl", path: join(path, "a.jsonl") });
    for (const name of ["a.jsonl", "a.json", "a.csv"]) {
      const { ids } = await batchesOf({ type: "file", path: join(path, name) });
      expect(ids, name).toEqual(alias.ids);
    }
    expect(alias.data.report).toMatchObject({ trainingRows: 54, validationRows: 6 });
    expect(alias.data.report?.sources[0]).toMatchObject({ rows: 60, kept: 60, duplicates: 0 });
    expect(alias.data.evaluation[0]?.verify?.(0, tokenizer.encode(" 1x"))).toBe(true);
    expect(alias.data.positions).toBe("59+1=".length + 9);
    expect(alias.data.notes[0]).toMatch(/60 rows, 60 kept with .* 0 empty, 0 duplicates\.$/);
  });

  test("rows on disk are those in memory, in the same order", async () => {
    const path = folder({
      "a.jsonl": jsonl(rows.flatMap((row) => Array((2000 / 60) | 0).fill(row))),
    });
    const config = { type: "file", path: join(path, "a.jsonl") };
    const inMemory = await prepare(config);
    const onDisk = await prepare({ ...config, memoryLimitBytes: 0 });
    try {
      expect(onDisk.training.rows(3, 8)).toBeInstanceOf(Promise);
      expect(await onDisk.training.rows(3, 8)).toEqual(await inMemory.training.rows(3, 8));
    } finally {
      onDisk.dispose?.();
    }
  });

  test("a dataset folder by split, with its own validation split", async () => {
    const path = folder({
      "data/train-00000-of-00002.jsonl": jsonl(rows.slice(0, 20)),
      "data/train-00001-of-00002.jsonl": jsonl(rows.slice(20, 50)),
      "data/test-00000-of-00001.jsonl": jsonl(rows.slice(50)),
    });
    const data = await prepare({ type: "file", path, validationSplit: "test" });
    expect(data.report).toMatchObject({ trainingRows: 50, validationRows: 10 });
    expect(await messageOf(prepare({ type: "file", path, split: "tran" }))).toMatch(
      /has no split "tran"\. Did you mean "train"\?/,
    );
    const file = join(path, "data/test-00000-of-00001.jsonl");
    expect(await messageOf(prepare({ type: "file", path: file, validationSplit: "x" }))).toMatch(
      /^data\.validationSplit: .* is a file and has no splits/,
    );
  });

  test("length buckets change the order only", async () => {
    const path = join(folder({ "a.jsonl": jsonl(rows) }), "a.jsonl");
    const epoch = async (lengthBuckets: boolean) => {
      const data = await prepare({ type: "file", path, lengthBuckets, validationFraction: 0.1 });
      const steps = await batchesAt(data, [0, 1, 2, 3, 4, 5], 9);
      return steps.map((batch) => batch.map(({ id }) => id));
    };
    const [plain, bucketed] = [await epoch(false), await epoch(true)];
    expect(bucketed).not.toEqual(plain);
    expect(bucketed.flat().sort()).toEqual(plain.flat().sort());
  });

  test("files in memory, as a page has them; chats of a template from the config", async () => {
    const chat = {
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
      ],
    };
    const file = dataFile("chat.jsonl", jsonl([chat, chat, chat]));
    const config = {
      type: "file",
      path: "chat.jsonl",
      chatTemplate:
        "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}",
    };
    const options = { tokenizer, files: filesInMemory([file]), random: new Random(1) };
    const data = await prepareData(datasetSchema.parse(config), options);
    const [row] = await data.training.rows(0, 1);
    const learned = row?.ids.filter((_id, i) => row.learned?.[i] === 1) ?? [];
    expect(tokenizer.decode(learned)).toBe("b;");
    expect(learned.at(-1)).toBe(tokenizer.endIds[0]);
    expect(tokenizer.decode(data.training.promptOf(row as never))).toBe("user:a;assistant:");
    expect(data.report?.sources[0]?.duplicates).toBe(2);
    const { chatTemplate: _template, ...without } = config;
    expect(await messageOf(prepareData(datasetSchema.parse(without), options))).toMatch(
      /The tokenizer has no chat template\. Set data\.chatTemplate/,
    );
  });

  test("what cannot be read or trained on", async () => {
    const path = folder({ "a.txt": "a\n", "b.jsonl": jsonl(rows.slice(0, 1)) });
    const missing = prepare({ type: "file", path: join(path, "c.jsonl") });
    expect(await messageOf(missing)).toMatch(/c\.jsonl: The data file does not exist/);
    expect(await messageOf(prepare({ type: "text", path }))).toMatch(/is a folder, not a file/);
    expect(await messageOf(prepare({ type: "file", path: join(path, "b.jsonl") }))).toMatch(
      /b\.jsonl: there is only 1 row/,
    );
  });
});
