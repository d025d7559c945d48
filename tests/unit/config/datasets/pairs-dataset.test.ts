import { describe, expect, test } from "vitest";
import { characterTokenizerFor, filesInMemory, prepareData } from "../../../../src/config/index.js";
import { byteTokenizer, dataFile, pairsDatasetSchema } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const rows = Array.from({ length: 20 }, (_, i) => ({
  prompt: `${i}+1=`,
  chosen: String(i + 1),
  rejected: `${i}${i}`,
}));
const tokenizer = byteTokenizer();

function prepared(lines: readonly object[], changes: object = {}) {
  const text = lines.map((row) => JSON.stringify(row)).join("\n");
  const dataset = pairsDatasetSchema.parse({ type: "pairs", path: "pairs.jsonl", ...changes });
  const files = filesInMemory([dataFile("pairs.jsonl", text)]);
  return prepareData(dataset, { tokenizer, random: new Random(1), files });
}

describe("pairs from a file", () => {
  test("keep prompt and both answers together, every one once an epoch", async () => {
    const { pairs, training, evaluation, notes } = await prepared(rows);
    const epoch = [...(await (pairs?.pairs(0, 9) ?? [])), ...(await (pairs?.pairs(1, 9) ?? []))];
    const text = (ids: readonly number[]) => tokenizer.decode(ids);
    const seen = epoch.map(({ positive, negative }) => [text(positive.ids), text(negative.ids)]);
    expect(seen.sort()).toEqual(
      rows
        .slice(0, 18)
        .map((r) => [r.prompt + r.chosen, r.prompt + r.rejected])
        .sort(),
    );
    for (const { positive, negative } of epoch) {
      expect(positive.completionStart).toBe(negative.completionStart);
      expect(positive.ids.at(-1)).toBe(tokenizer.endIds[0]);
    }
    expect(training.size).toBe(18);
    expect(evaluation[0]?.rows.map(({ ids }) => text(ids))).toEqual(["18+1=19", "19+1=20"]);
    expect(notes).toContain("18 pairs to train on, 2 to validate on.");
  });

  test("are left out whole where an answer is too long or both are the same", async () => {
    const long = { prompt: "p", chosen: "a", rejected: "x".repeat(50) };
    const equal = { prompt: "p", chosen: "a", rejected: "a" };
    const { notes, positions } = await prepared([...rows, long, equal], { maxLength: 20 });
    expect(notes[0]).toBe("pairs.jsonl: 22 rows, 1 dropped as too long, 1 with two equal answers.");
    expect(positions).toBeLessThan(20);
    await expect(prepared([long, equal], { maxLength: 20 })).rejects.toThrow(
      /None of the 2 rows is a pair .*: 1 have two equal answers, 1 are longer than 20/,
    );
  });

  test("with a wrong field are refused by line, with the field that may be meant", async () => {
    await expect(prepared([{ prompt: "p", choosen: "a", rejected: "b" }])).rejects.toThrow(
      /pairs\.jsonl:1: has no field "chosen"\. Did you mean "choosen"\?.*fields\.positive/,
    );
  });

  test("name the characters of a character tokenizer", async () => {
    const dataset = pairsDatasetSchema.parse({ type: "pairs", path: "pairs.jsonl" });
    const files = filesInMemory([dataFile("pairs.jsonl", JSON.stringify(rows[3]))]);
    const made = await characterTokenizerFor(dataset, files);
    expect(made.decode(made.encode("3+1=433"))).toBe("3+1=433");
  });
});
