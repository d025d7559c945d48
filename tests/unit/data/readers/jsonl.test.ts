import { describe, expect, test } from "vitest";
import { dataFile, readExamples } from "../../../../src/data/index.js";
import { openDataFile } from "../../../../src/node/index.js";
import { collect, messageOf, rowsOf } from "../../../setup/data/data-rows.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";

const row = (i: number) => JSON.stringify({ prompt: `p${i}`, completion: `c${i}` });

describe("JSONL", () => {
  test("one object a line; blank lines are skipped but counted", async () => {
    expect(await rowsOf("t.jsonl", '\ufeff{"a":1}\r\n\n{"b":[2]}')).toEqual([
      { row: { a: 1 }, where: "t.jsonl:1" },
      { row: { b: [2] }, where: "t.jsonl:3" },
    ]);
  });

  test("names the file and the line of broken JSON", async () => {
    const lines = Array.from({ length: 60 }, (_, i) => (i % 10 === 3 ? "" : row(i)));
    lines[56] = '{"prompt": "p", "completion": ';
    const message = await messageOf(rowsOf("train.jsonl", lines.join("\n")));
    expect(message).toMatch(/^train\.jsonl:57: is not valid JSON: /);
    expect(message).toContain('The text is "{\\"prompt\\": \\"p\\", \\"completion\\": "');
  });

  test.each([
    ['["p","c"]', "a.jsonl:1: is a list, not a JSON object."],
    ['[{"a":1},', "a.jsonl:1: is not valid JSON"],
    ["", "a.jsonl: has no rows. Give a file with one JSON object per line."],
    ["\n \n", "a.jsonl: has no rows."],
  ])("explains %j", async (text, message) => {
    expect(await messageOf(rowsOf("a.jsonl", text))).toContain(message);
  });

  test("lines and characters may fall on any border between chunks", async () => {
    const bytes = new TextEncoder().encode('{"a":"é🙂"}\r\n{"a":"ü"}');
    for (const size of [1, 2, 3, 7]) {
      const file = {
        ...dataFile("t.jsonl", bytes),
        async *chunks() {
          for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
        },
      };
      const examples = await collect(readExamples([file], { fields: { text: "a" } }));
      expect(examples.map(({ example }) => example)).toEqual([
        { prompt: "", completion: "é🙂" },
        { prompt: "", completion: "ü" },
      ]);
    }
  });
});

describe.skipIf(missing("gsm8k/train.jsonl"))("GSM8K (needs ../shared/data/gsm8k)", () => {
  test("all 7473 rows are read through renamed fields", async () => {
    const file = await openDataFile(sharedData("gsm8k/train.jsonl"));
    const fields = { prompt: "question", completion: "answer" };
    const examples = await collect(readExamples([file], { fields }));
    expect(examples).toHaveLength(7473);
    const solutions = examples.map(({ example }) => "completion" in example && example.completion);
    expect(solutions.every((text) => text && text.includes("####"))).toBe(true);
    expect(examples[7472]?.id).toMatch(/train\.jsonl:7473$/);
  });
});
