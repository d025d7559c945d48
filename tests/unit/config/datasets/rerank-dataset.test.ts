import { describe, expect, test } from "vitest";
import { filesInMemory, prepareData } from "../../../../src/config/index.js";
import { byteTokenizer, dataFile, rerankDatasetSchema } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const lines = (rows: readonly string[]) => new TextEncoder().encode(`${rows.join("\n")}\n`);
const files = filesInMemory([
  dataFile("corpus.tsv", lines(["d1\tred fox", "d2\tblue whale", "d3\tred herring and more"])),
  dataFile("queries.tsv", lines(["q1\tred", "q2\tblue", "q3\twhale"])),
  dataFile(
    "qrels.txt",
    lines(["q1 0 d1 2", "q1 0 d2 0", "q2 0 d2 1", "q2 0 d3 0", "q3 0 d2 2", "q3 0 d1 0"]),
  ),
]);

const prepare = (changes: object = {}) =>
  prepareData(
    rerankDatasetSchema.parse({
      ...{ type: "rerank", corpus: "corpus.tsv", queries: "queries.tsv", qrels: "qrels.txt" },
      ...changes,
    }),
    { files, random: new Random(1), tokenizer: byteTokenizer({ specialTokens: true }) },
  );

describe("data of type rerank", () => {
  test("has lists to train on and the last ones to evaluate on, with BM25 of those", async () => {
    const { ranking, evaluation, notes } = await prepare({ validationFraction: 0.3 });
    const lists = await ranking?.lists(0, 2);
    expect(lists?.map(({ queryId }) => queryId).sort()).toEqual(["q1", "q2"]);
    expect(evaluation[0]?.lists?.map(({ query }) => query)).toEqual(["whale"]);
    expect(notes.join("\n")).toContain("nDCG@1/5/10 of 1.0000 / 1.0000 / 1.0000");
  });

  test("says how many candidates were cut off", async () => {
    const { notes, evaluation } = await prepare({ passageLength: 8, validationFraction: 1 });
    expect(notes[0]).toContain(
      "6 candidates (0 unjudged, which count as grade 0), 4 of them cut off",
    );
    expect(evaluation[0]?.lists).toHaveLength(3);
  });

  test("other trainers are refused; all held out leaves nothing to train on", async () => {
    const { training, ranking } = await prepare({ validationFraction: 1 });
    expect(() => training.rows(0, 1)).toThrow('Use the "rank" trainer');
    expect(() => ranking?.lists(0, 1)).toThrow("leaves no list to train on");
  });
});
