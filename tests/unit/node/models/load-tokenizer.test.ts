import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { byteTokenizer } from "../../../../src/data/index.js";
import { loadTokenizer } from "../../../../src/node/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

function folderOf(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "##s"].join("\n");
const vocab = JSON.stringify({ l: 0, o: 1, w: 2, Ġ: 3, lo: 4, low: 5, "<|endoftext|>": 6 });
const merges = "#version: 0.2\nl o\nlo w\n";

describe("loadTokenizer", () => {
  test("a tokenizer.json comes before older files", async () => {
    const json = JSON.stringify(byteTokenizer().toJson());
    const folder = folderOf({ "tokenizer.json": json, "vocab.txt": bert });
    expect((await loadTokenizer(folder)).vocabSize).toBe(258);
    expect((await loadTokenizer(join(folder, "tokenizer.json"))).vocabSize).toBe(258);
  });

  test("BERT's vocab.txt; the config says what happens to capitals", async () => {
    const tokenizer = await loadTokenizer(folderOf({ "vocab.txt": `${bert}\r\n` }));
    expect(tokenizer.encode("The CATS")).toEqual([4, 5, 6]);
    expect(tokenizer).toMatchObject({ startIds: [2], endIds: [], padId: 0 });
    const config = JSON.stringify({ do_lower_case: false, sep_token: "[SEP]" });
    const cased = await loadTokenizer(
      folderOf({ "vocab.txt": bert, "tokenizer_config.json": config }),
    );
    expect(() => cased.encode("The cats")).toThrow('no token for "T" (in "The")');
  });

  test("GPT-2's vocab.json and merges.txt", async () => {
    const tokenizer = await loadTokenizer(folderOf({ "vocab.json": vocab, "merges.txt": merges }));
    expect(tokenizer.encode("low low")).toEqual([5, 3, 5]);
    expect(tokenizer.decode([5, 3, 5, 6])).toBe("low low");
    expect(tokenizer.endIds).toEqual([6]);
    expect(() => tokenizer.encode("lows")).toThrow('no token for "s" (in "lows")');
  });

  test.each([
    ["no file", {}, "The folder holds no tokenizer. It needs a tokenizer.json, or vocab.json and"],
    ["half of a pair", { "vocab.json": vocab }, "The folder holds no tokenizer."],
    ["a vocab.txt of something else", { "vocab.txt": "a\nb" }, "vocab.txt: has no token [UNK]."],
    [
      "a merge of three",
      { "vocab.json": vocab, "merges.txt": "#version: 0.2\nl o w" },
      "vocab.json: line 2 of the merges: is not a merge.",
    ],
    [
      "broken JSON",
      { "vocab.json": "{", "merges.txt": merges },
      "vocab.json: The vocabulary is not valid JSON",
    ],
    [
      "a list",
      { "vocab.json": "[]", "merges.txt": merges },
      "vocab.json: The vocabulary is not an object",
    ],
  ])("%s is refused", async (_name, files, problem) => {
    await expect(loadTokenizer(folderOf(files))).rejects.toThrow(problem);
  });

  test("a folder that does not exist", async () => {
    await expect(loadTokenizer("nowhere")).rejects.toThrow(
      "nowhere/tokenizer.json: The tokenizer does not exist.",
    );
  });
});
