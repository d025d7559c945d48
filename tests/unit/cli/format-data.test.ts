import { expect, test } from "vitest";
import {
  formatInspection,
  formatLengths,
  formatTokens,
} from "../../../src/cli/terminal/format-data.js";
import { byteTokenizer, tokenViewer } from "../../../src/data/index.js";

const tokenizer = byteTokenizer();
const ids = [...tokenizer.encode("a\nbé"), tokenizer.endIds[0] as number];
const tokens = tokenViewer(tokenizer)({ ids, completionStart: 2 });

test("tokens with their borders, what is learned in brackets, the end token by name", () => {
  // The two bytes of é are no characters alone: they are shown as the vocabulary writes them.
  expect(formatTokens(tokens, false)).toBe("a|⏎\n[b|Ã|©|<end>]");
});

test("or in colours", () => {
  expect(formatTokens(tokens, true)).toBe("\u001b[2ma|⏎\n\u001b[0m|\u001b[32mb|Ã|©|<end>\u001b[0m");
});

test("lengths: percentiles, and bins that hold every row", () => {
  const lines = formatLengths(Array.from({ length: 100 }, (_, i) => i + 1));
  expect(lines[0]).toBe(
    "Tokens per training row: least 1, median 51, 90 % ≤ 90, 99 % ≤ 99, most 100",
  );
  expect(lines).toHaveLength(11);
  expect(lines[1]).toMatch(/^ {4}1–10 {3}█{40} {2}10$/);
  expect(formatLengths([7, 7])).toHaveLength(2);
});

test("an inspection of rows in whole", () => {
  const examples = [{ id: "t.jsonl:1", tokens }];
  const common = { kind: "rows", notes: ["A note."], vocabSize: 258, report: undefined } as const;
  const text = formatInspection({ ...common, lengths: undefined, examples }, false).join("\n");
  expect(text).toBe(
    "A note.\nTokenizer: 258 ids.\n\nExamples ([learned] and given tokens, parted by |):\n\nt.jsonl:1, 6 tokens\na|⏎\n[b|Ã|©|<end>]",
  );
});
