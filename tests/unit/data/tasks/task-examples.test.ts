import { describe, expect, test } from "vitest";
import {
  characterTokenizer,
  findTask,
  rowTokenizer,
  jsonlDatasetSchema,
  taskConfigSchema,
  taskDatasetSchema,
  taskDefinitions,
  taskExamples,
  taskItem,
  taskItems,
  taskSplits,
  textDatasetSchema,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

describe.each(taskDefinitions.map(({ name }) => name))("the task %s", (name) => {
  const task = findTask(name);
  const config = task.config.parse({});

  test("items depend on seed, split and index only", () => {
    for (const split of taskSplits) {
      const items = taskItems(task, config, split, new Random(3), 20);
      expect(taskItem(task, config, split, new Random(3), 13)).toEqual(items[13]);
      expect(taskItems(task, config, split, new Random(3), 5, 10)).toEqual(items.slice(10, 15));
      expect(taskItems(task, config, split, new Random(4), 20)).not.toEqual(items);
      expect(taskExamples(task, config, split, new Random(3), 20)).toEqual(
        items.map(({ example }) => example),
      );
      for (const { problem } of items) expect(task.splitOf(problem, config)).toBe(split);
    }
  });

  test("the error rate changes traces, not problems", () => {
    const wrong = { ...config, errorRate: 1 };
    const right = taskItems(task, config, "train", new Random(3), 20);
    for (const [i, item] of taskItems(task, wrong, "train", new Random(3), 20).entries()) {
      expect(item.problem).toEqual(right[i]?.problem);
      expect(item.example.answer).toBe(right[i]?.example.answer);
      expect(item.example.completion).not.toBe(right[i]?.example.completion);
    }
  });

  test("problems survive JSON, and the alphabet makes a tokenizer for all of them", () => {
    const tokenizer = characterTokenizer({ alphabet: task.alphabet(config) });
    for (const { problem, example } of taskItems(task, config, "longer", new Random(3), 50)) {
      const stored: unknown = JSON.parse(JSON.stringify(problem));
      expect(task.prompt(stored)).toBe(example.prompt);
      expect(task.verify(stored, example.completion).correct).toBe(true);
      const rows = rowTokenizer(tokenizer, { longRows: "error" });
      rows.encode({ example, id: "row" });
      expect(rows.report().completionTokens).toBe(example.completion.length + 1);
    }
  });

  test("every option is described and has a default", () => {
    for (const [field, schema] of Object.entries(task.config.shape)) {
      expect((schema as { description?: string }).description, field).toMatch(/.{10}/);
    }
    expect(config).toMatchObject({ errorRate: 0, heldOutFraction: 0.1 });
  });
});

describe("dataset configs", () => {
  test("a task is chosen by its type and gets its defaults", () => {
    const parsed = taskConfigSchema.parse({ type: "addition", maxDigits: 2 });
    expect(parsed).toMatchObject({ type: "addition", maxDigits: 2, minDigits: 1 });
    expect(taskConfigSchema.parse({ type: "chain" })).toMatchObject({
      type: "chain",
      modulus: 100,
    });
  });

  test.each([
    { type: "adition" },
    { type: "addition", maxDigit: 2 },
    { type: "addition", minDigits: 5 },
    { type: "chain", wording: "sentence" },
    { maxDigits: 2 },
  ])("refuses the task %j", (task) => {
    expect(taskDatasetSchema.safeParse({ type: "task", task }).success).toBe(false);
    const given = { type: "task", task: { type: "addition" } };
    expect(taskDatasetSchema.safeParse(given).success).toBe(true);
  });

  test("text and jsonl have working defaults and refuse unknown fields", () => {
    expect(textDatasetSchema.parse({ type: "text", path: "a.txt" })).toMatchObject({
      type: "text",
      path: "a.txt",
      validationFraction: 0.1,
      sequenceLength: 64,
    });
    expect(jsonlDatasetSchema.parse({ type: "jsonl", path: "a.jsonl" })).toEqual({
      type: "jsonl",
      path: "a.jsonl",
      validationFraction: 0.1,
      fields: {},
      separator: "",
      prefix: "",
      learn: "all",
      longRows: "truncate",
      lengthBuckets: false,
      memoryLimitBytes: 2 ** 30,
    });
    const bad = { type: "jsonl", path: "a.jsonl", fields: { question: "q" } };
    expect(jsonlDatasetSchema.safeParse(bad).success).toBe(false);
  });
});
