import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadTokenizer, trainTokenizer, trainTokenizerSchema } from "../../../src/node/index.js";
import { Random } from "../../../src/tensors/index.js";
import { randomText } from "../../setup/data/random-text.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { repository, runCli } from "./cli-process.js";

const story = "the cat sat on the mat, the bat sat on the hat; that's it.\n".repeat(8);

function filesIn(files: Record<string, string | Uint8Array>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

function train(folder: string, names: readonly string[], changes: object = {}) {
  const options = { output: join(folder, "out"), vocabSize: 290, ...changes };
  return trainTokenizer(
    names.map((name) => join(folder, name)),
    trainTokenizerSchema.parse(options),
  );
}

describe("pupil train-tokenizer", { timeout: 120_000 }, () => {
  test("trains, says what came out, and keeps an output that is there", async () => {
    const folder = filesIn({ "story.txt": story });
    const args = ["train-tokenizer", "story.txt", "output=out", "vocabSize=5000"];
    const { stdout, code } = await runCli(args, folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+ tokens \(\d+ merges\) from \d+ different words\./);
    expect(stdout).toContain("Fewer than the 5,000 asked for");
    expect(stdout).toMatch(/472 bytes, \d+ tokens, [\d.]+ bytes\/token/);
    const tokenizer = await loadTokenizer(join(folder, "out"));
    expect(tokenizer.decode(tokenizer.encode(story))).toBe(story);
    const again = await runCli(args, folder);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("error: out: The output folder is not empty");
  });
});

describe("trainTokenizer", () => {
  test("files together, text and rows, as one text at a time", async () => {
    const rows = [
      { prompt: "the cat", completion: " sat" },
      { text: "on the mat" },
      { prompt: "", completion: "the end" },
    ];
    const folder = filesIn({
      "a.txt": `\ufeff${story}`,
      "c.csv": "id,text\n1,the mat\n",
      "b.jsonl": `${rows.map((row) => JSON.stringify(row)).join("\r\n\r\n")}\n`,
    });
    const bytes = story.length + "the cat sat".length + "on the mat".length + "the end".length;
    expect(await train(folder, ["a.txt", "b.jsonl", "c.csv"])).toMatchObject({
      bytes: bytes + "the mat".length,
    });
    expect(readdirSync(folder).sort()).toEqual(["a.txt", "b.jsonl", "c.csv", "out"]);
    expect(readdirSync(join(folder, "out"))).toEqual(["tokenizer.json", "tokenizer_config.json"]);
  });

  test("a file of many parts gives what the whole text gives", async () => {
    const random = new Random(2);
    // Longer than one read, with characters over the border between two.
    const text = Array.from({ length: 100 }, () => randomText(random, 20))
      .join("")
      .repeat(170);
    const size = Buffer.byteLength(text);
    expect(size).toBeGreaterThan(2 ** 20);
    const folder = filesIn({ "long.txt": text });
    const { bytes } = await train(folder, ["long.txt"]);
    expect(bytes).toBe(size);
  });

  test.each<[string, Record<string, string | Uint8Array>, string]>([
    ["an empty file", { "a.txt": "" }, "a.txt: The file has no text."],
    ["an empty file among others", { "b.txt": story, "a.txt": "" }, "a.txt: The file has no text."],
    [
      "a binary file",
      { "a.txt": Uint8Array.of(77, 90, 0, 3) },
      "has bytes that are not UTF-8 text.",
    ],
    ["a packed file", { "a.txt": Uint8Array.of(0x1f, 0x8b, 8) }, "is compressed (gzip)"],
    [
      "another encoding",
      { "a.txt": Uint8Array.of(99, 10, 0xe9) },
      "a.txt:2: has bytes that are not",
    ],
    ["broken JSON", { "a.jsonl": '{"text": "x"}\n{"text"' }, "a.jsonl:2: is not valid JSON"],
    ["a JSON list", { "a.jsonl": "[1]" }, "a.jsonl:1: is a list, not a JSON object."],
    [
      "a field by another name",
      { "a.jsonl": '{"texts": "x"}' },
      'a.jsonl:1: has no text in a field "prompt". ',
    ],
    ["a field that is no text", { "a.jsonl": '{"text": 3}' }, 'has no text in a field "text".'],
  ])("%s is refused and nothing is written", async (_name, files, problem) => {
    const folder = filesIn(files);
    await expect(train(folder, Object.keys(files))).rejects.toThrow(problem);
    expect(existsSync(join(folder, "out"))).toBe(false);
  });

  test("a missing file, no file, no room", async () => {
    const folder = filesIn({ "a.txt": story });
    await expect(train(folder, ["no.txt"])).rejects.toThrow(
      "no.txt: The data file does not exist.",
    );
    await expect(train(folder, [])).rejects.toThrow("There is no file to train on.");
    const changes = { vocabSize: 259, specialTokens: ["<user>"] };
    await expect(train(folder, ["a.txt"], changes)).rejects.toThrow(
      "vocabSize: is 259, which leaves no room for a merge.",
    );
  });
});

const python = process.env["PUPIL_PYTHON"] ?? "python";
const hasPython =
  process.env["PUPIL_SLOW_TESTS"] === "1" &&
  spawnSync(python, ["-c", "import tokenizers, transformers"]).status === 0;

describe.skipIf(!hasPython)(
  "in Python (needs PUPIL_SLOW_TESTS=1 and python with transformers, or PUPIL_PYTHON)",
  { timeout: 120_000 },
  () => {
    test("tokenizers and AutoTokenizer give the same ids and texts", async () => {
      const random = new Random(9);
      const texts = [story, ...Array.from({ length: 60 }, () => randomText(random, 30)), "a<end>b"];
      const folder = filesIn({ "corpus.txt": texts.join("\n") });
      await train(folder, ["corpus.txt"], { vocabSize: 420, specialTokens: ["<user>"] });
      const tokenizer = await loadTokenizer(join(folder, "out"));
      const { stdout } = spawnSync(
        python,
        [join(repository, "scripts/python-checks/check-tokenizer.py"), join(folder, "out")],
        { input: JSON.stringify(texts), encoding: "utf8" },
      );
      const ids = texts.map((text) => tokenizer.encode(text));
      expect(JSON.parse(stdout)).toEqual({
        tokenizers: ids,
        transformers: ids,
        decoded: texts,
        eos: tokenizer.endIds[0],
        pad: tokenizer.padId,
      });
    });
  },
);
