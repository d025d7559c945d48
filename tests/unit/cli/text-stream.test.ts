import { expect, test } from "vitest";
import { textStream } from "../../../src/cli/terminal/text-stream.js";
import { byteTokenizer } from "../../../src/data/index.js";

test("text grows by whole characters, and nothing is shown twice", () => {
  const tokenizer = byteTokenizer();
  const prompt = tokenizer.encode("a ");
  const completion = tokenizer.encode("é—b");
  const shown: string[] = [];
  const stream = textStream(tokenizer, prompt, (text) => shown.push(text));
  for (let n = 1; n <= completion.length; n++) {
    expect(stream.show(completion.slice(0, n))).toBe(false);
  }
  expect(stream.end(completion)).toBe("é—b");
  expect(shown).toEqual(["é", "—", "b"]);
});

test("a character that is never finished is shown at the end", () => {
  const tokenizer = byteTokenizer();
  const cut = tokenizer.encode("x—").slice(0, -1);
  const shown: string[] = [];
  const stream = textStream(tokenizer, tokenizer.encode("a"), (text) => shown.push(text));
  stream.show(cut);
  expect(shown).toEqual(["x"]);
  expect(stream.end(cut)).toBe(shown.join(""));
  expect(shown).toHaveLength(2);
});
