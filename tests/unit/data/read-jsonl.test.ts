import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseJsonl, readJsonl } from "../../../src/data/index.js";
import { PupilError } from "../../../src/errors/index.js";
import { missing, sharedData } from "../../setup/shared-data.js";

const row = (i: number) => JSON.stringify({ prompt: `p${i}`, completion: `c${i}` });

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(PupilError);
    return (error as Error).message;
  }
  throw new Error("Nothing was thrown.");
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("parseJsonl", () => {
  test("reads the default fields, with the answer where a row has one", () => {
    const text =
      '\ufeff{"prompt":"1+1=","completion":"2","answer":2}\r\n\n{"prompt":"","completion":"x"}';
    expect(parseJsonl(text, "t.jsonl")).toEqual([
      { prompt: "1+1=", completion: "2", answer: "2" },
      { prompt: "", completion: "x" },
    ]);
  });

  test("reads renamed fields and adds the separator to the prompt", () => {
    const fields = { prompt: "question", completion: "answer" };
    const line = '{"question":"How many?","answer":"72"}';
    expect(parseJsonl([line], "t.jsonl", { fields, separator: "\n" })).toEqual([
      { prompt: "How many?\n", completion: "72" },
    ]);
    const answered = { ...fields, completion: "steps", answer: "answer" };
    expect(
      parseJsonl('{"question":"q","steps":"s","answer":"a"}', "t", { fields: answered }),
    ).toEqual([{ prompt: "q", completion: "s", answer: "a" }]);
  });

  test("names the file and the line of broken JSON, blank lines counted", () => {
    const lines = Array.from({ length: 60 }, (_, i) => (i % 10 === 3 ? "" : row(i)));
    lines[56] = '{"prompt": "p", "completion": ';
    const message = messageOf(() => parseJsonl(lines.join("\n"), "train.jsonl"));
    expect(message).toMatch(/^train\.jsonl:57: is not valid JSON: /);
    expect(message).toContain('The line is "{\\"prompt\\": \\"p\\", \\"completion\\": "');
  });

  test.each([
    [
      '{"prompt":"p","compltion":"c"}',
      'a.jsonl:1: has no field "completion". Did you mean "compltion"? Allowed: prompt, compltion. Set fields.completion',
    ],
    ["{}", 'a.jsonl:1: has no field "prompt". The object is empty.'],
    [
      '{"prompt":"p","completion":7}',
      'a.jsonl:1: the field "completion" is the number 7, not text.',
    ],
    ['{"prompt":null,"completion":""}', 'a.jsonl:1: the field "prompt" is null, not text.'],
    ['{"prompt":["p"],"completion":""}', 'a.jsonl:1: the field "prompt" is a list, not text.'],
    [
      '{"prompt":"p","completion":"c","answer":true}',
      'a.jsonl:1: the field "answer" is the boolean true',
    ],
    ['["p","c"]', "a.jsonl:1: is a list, not a JSON object."],
    ["", "a.jsonl: has no rows."],
    ["\n \n", "a.jsonl: has no rows."],
  ])("explains %j", (text, message) => {
    expect(messageOf(() => parseJsonl(text, "a.jsonl"))).toContain(message);
  });

  test("a named answer field must be there; inherited properties are no fields", () => {
    const fields = { prompt: "prompt", completion: "completion", answer: "result" };
    expect(messageOf(() => parseJsonl(row(1), "a.jsonl", { fields }))).toContain(
      'a.jsonl:1: has no field "result".',
    );
    const inherited = { prompt: "toString", completion: "completion" };
    expect(messageOf(() => parseJsonl(row(1), "a", { fields: inherited }))).toContain("no field");
  });

  test("the stream gives the same rows and errors", async () => {
    async function* stream(lines: string[]) {
      yield* lines;
    }
    const rows = await collect(readJsonl(stream([row(1), "", row(2)]), "a.jsonl"));
    expect(rows).toEqual(parseJsonl([row(1), row(2)], "a.jsonl"));
    const broken = readJsonl(stream([row(1), "", "{"]), "a.jsonl");
    await expect(collect(broken)).rejects.toThrow("a.jsonl:3: is not valid JSON");
    await expect(collect(readJsonl(stream([]), "a.jsonl"))).rejects.toThrow("has no rows");
  });
});

describe.skipIf(missing("gsm8k/train.jsonl"))("GSM8K (needs ../shared/data/gsm8k)", () => {
  test("all 7473 rows are read through renamed fields", () => {
    const text = readFileSync(sharedData("gsm8k/train.jsonl"), "utf8");
    const fields = { prompt: "question", completion: "answer" };
    const examples = parseJsonl(text, "train.jsonl", { fields });
    expect(examples).toHaveLength(7473);
    expect(examples.every(({ completion }) => completion.includes("####"))).toBe(true);
  });
});
