import { describe, expect, test } from "vitest";
import { dataFile, isWrittenNumber, readExamples } from "../../../../src/data/index.js";
import { parseJson } from "../../../../src/data/readers/written-number.js";
import { messageOf, rowsOf } from "../../../setup/data/data-rows.js";

describe("numbers of JSON rows", () => {
  test.each(["7", "-7", "0", "0.5", "-1.25", "123456789012345", "1.5e-7"])(
    "%s is a plain number",
    (text) => {
      expect(parseJson(`[${text}]`)).toEqual([Number(text)]);
    },
  );

  test.each(["41.0", "1234567890123456789", "1e5", "1E5", "-0", "0.10", "1e400", "1e+22", "-0.0"])(
    "%s keeps what was written",
    (text) => {
      const [value] = parseJson(`[${text}]`) as unknown[];
      expect(isWrittenNumber(value) && value.value).toBe(text);
    },
  );

  test("everything else is as JSON.parse reads it", () => {
    const text =
      '{"a":1.0,"b":"41.0","a":[2],"__proto__":{"x":1},"c":"\\u00e9\\n","d":{},"e":[null,true]}';
    const plain = text.replace("1.0", "1");
    expect(parseJson(text)).toEqual(JSON.parse(plain));
    expect(Object.keys(parseJson(text) as object)).toEqual(
      Object.keys(JSON.parse(plain) as object),
    );
    expect(() => parseJson('{"a": 1.0')).toThrow(SyntaxError);
    expect(() => parseJson('{"a": 01.0}')).toThrow(SyntaxError);
  });

  test("nested deeper than this parser goes is no valid JSON, in words of ours", async () => {
    const deep = `${"[".repeat(20_000)}1.0${"]".repeat(20_000)}`;
    expect(() => parseJson(deep)).toThrow(/^it is nested too deeply$/);
    expect(await messageOf(rowsOf("t.jsonl", `{"a": ${deep}}`))).toMatch(
      /^t\.jsonl:1: is not valid JSON: it is nested too deeply\. The text is/,
    );
  });

  test("answers and ids are what was written", async () => {
    const line = '{"prompt":"a","completion":"b","answer":12345678901234567890,"id":1.50}';
    for (const [name, text] of [
      ["t.jsonl", line],
      ["t.json", `[${line}]`],
    ] as const) {
      const fields = { prompt: "prompt", completion: "completion", id: "id" };
      for await (const { example, id } of readExamples([dataFile(name, text)], { fields })) {
        expect(example.answer).toBe("12345678901234567890");
        expect(id).toBe("1.50");
      }
    }
  });

  test("they are numbers in messages", async () => {
    const rows = async () => {
      for await (const row of readExamples([dataFile("t.jsonl", '{"text": 41.0}')])) return row;
    };
    expect(await messageOf(rows())).toContain('the field "text" is the number 41.0, not text');
    expect(await messageOf(rowsOf("t.jsonl", "41.0"))).toContain("is the number 41.0, not a JSON");
  });
});
