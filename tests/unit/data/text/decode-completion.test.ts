import { expect, test } from "vitest";
import { byteTokenizer, decodeCompletion } from "../../../../src/data/index.js";

test("a completion keeps the space that its tokenizer drops at the start of a text", () => {
  const words = ["▁Once", "▁upon", "▁a", "▁time"];
  const decode = (ids: readonly number[]) =>
    ids
      .map((id) => words[id])
      .join("")
      .replaceAll("▁", " ")
      .trimStart();
  expect(decode([2, 3])).toBe("a time");
  expect(decodeCompletion({ decode }, [0, 1], [2, 3])).toBe(" a time");
  expect(decodeCompletion({ decode }, [], [2, 3])).toBe("a time");
});

test("a prompt that ends within a character leaves the completion as it is", () => {
  const tokenizer = byteTokenizer();
  const [first, second] = tokenizer.encode("é") as [number, number];
  const completion = decodeCompletion(tokenizer, [first], [second]);
  expect(completion).toBe(tokenizer.decode([second]));
});
