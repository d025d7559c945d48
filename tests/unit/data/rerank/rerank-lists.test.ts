import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dataFile, bm25, ndcgAt, readRerankLists } from "../../../../src/data/index.js";
import { openDataFile } from "../../../../src/node/index.js";
import { messageOf } from "../../../setup/data/data-rows.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";

const contents = {
  corpus: 'd1\tone "quoted\nd2\t"two\t""2"""\nd3\tthree\nd4\tunused\n',
  queries: "q1\tfirst?\nq2\tsecond?\nq3\tnothing?\n",
  qrels: "q1 0 d1 2\nq1 0 d2 0\n\nq2 0 d3 1\n",
  run: "q1 Q0 d3 2 0.5 bm25\nq1 Q0 d2 1 0.7 bm25\n",
};

function read(changes: Partial<typeof contents> = {}, names: Partial<typeof contents> = {}) {
  const { run, ...others } = { ...contents, ...changes };
  const file = (key: keyof typeof contents, text: string) =>
    dataFile(names[key] ?? (key === "qrels" || key === "run" ? `${key}.txt` : `${key}.tsv`), text);
  return readRerankLists({
    corpus: file("corpus", others.corpus),
    queries: file("queries", others.queries),
    qrels: file("qrels", others.qrels),
    run: run === "" ? undefined : file("run", run),
  });
}

describe("readRerankLists", () => {
  test("lists in the run's order, then what else was judged", async () => {
    const { lists, report } = await read();
    expect(lists).toEqual([
      {
        queryId: "q1",
        query: "first?",
        candidates: [
          { docid: "d2", text: 'two\t"2"', rank: 1, score: 0.7, grade: 0 },
          { docid: "d3", text: "three", rank: 2, score: 0.5 },
          { docid: "d1", text: 'one "quoted', grade: 2 },
        ],
      },
      { queryId: "q2", query: "second?", candidates: [{ docid: "d3", text: "three", grade: 1 }] },
    ]);
    expect(report).toEqual({
      passages: 4,
      queries: 3,
      lists: 2,
      judgements: 3,
      grades: { 0: 1, 1: 1, 2: 1 },
      candidates: 4,
      unjudgedCandidates: 1,
      queriesWithoutCandidates: 1,
      listsWithoutRelevant: 0,
    });
  });

  test("without a run, in the order of the qrels; corpus and queries as JSONL", async () => {
    const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");
    const corpus = lines([
      { _id: "d1", title: "T", text: "one" },
      { _id: "d2", title: "", text: "two" },
      { _id: "d3", text: "three" },
    ]);
    const queries = lines([
      { _id: "q1", text: "first?" },
      { _id: "q2", text: "second?" },
    ]);
    const names = { corpus: "corpus.jsonl", queries: "queries.jsonl" };
    const { lists } = await read({ corpus, queries, run: "" }, names);
    expect(lists.map(({ candidates }) => candidates.map(({ text }) => text))).toEqual([
      ["T\none", "two"],
      ["three"],
    ]);
  });

  test.each<[Partial<typeof contents>, string]>([
    [{ qrels: "q1 0 d9 1\n" }, 'qrels.txt:1: names the passage "d9", which is not in corpus.tsv.'],
    [{ qrels: "q9 0 d1 1\n" }, 'qrels.txt:1: names the query "q9", which is not in queries.tsv.'],
    [{ run: "q1 Q0 d7 1 0.1 x\n" }, 'run.txt:1: names the passage "d7"'],
    [
      { qrels: "q1 0 d1 1\nq1 0 d1 2\n" },
      'qrels.txt:2: has query "q1" with passage "d1" a second time (first: qrels.txt:1).',
    ],
    [
      { run: "q1 Q0 d1 1 1 x\nq1 Q0 d1 2 1 x\n" },
      'run.txt:2: has query "q1" with passage "d1" a second',
    ],
    [
      { qrels: "q1 0 d1 high\n" },
      'qrels.txt:1: the grade is "high", not a number. Check the order',
    ],
    [{ run: "q1 Q0 d1 x 1 t\n" }, 'run.txt:1: the rank is "x", not a number.'],
    [
      { qrels: "q1 d1 1\n" },
      "qrels.txt:1: has 3 columns, expected 4. Write query id, 0, passage id, grade",
    ],
    [{ run: "q1 0 d1 1\n" }, "run.txt:1: has 4 columns, expected 6. Write query id, Q0"],
    [{ qrels: "" }, "qrels.txt: is empty."],
    [
      { corpus: "d1\tone\nd1\ttwo\nd2\tx\nd3\ty\n" },
      'corpus.tsv:2: has the id "d1" a second time.',
    ],
    [{ corpus: "d1 one\n" }, "corpus.tsv:1: has no tab."],
    [{ queries: "" }, 'names the query "q1", which is not in queries.tsv.'],
  ])("explains %j", async (changes, message) => {
    expect(await messageOf(read(changes))).toContain(message);
  });
});

describe("ndcgAt", () => {
  test("hand-computed: linear gain, logarithmic discount", () => {
    expect(ndcgAt(3, [2, 0, 1])).toBeCloseTo((2 + 1 / 2) / (2 + 1 / Math.log2(3)), 12);
    expect(ndcgAt(1, [0, 2])).toBe(0);
    expect(ndcgAt(5, [2, 1, 0])).toBe(1);
    expect(ndcgAt(5, [0, 0])).toBe(0);
    expect(ndcgAt(5, [])).toBe(0);
    expect(ndcgAt(2, [1, -1])).toBe(1);
  });

  test("judged passages that were not ranked count in the best order", () => {
    expect(ndcgAt(1, [1], [1, 2])).toBe(0.5);
    expect(() => ndcgAt(0, [1])).toThrow("above 0");
  });
});

const folder = "rerank_noveleval";
describe.skipIf(missing(folder))(`NovelEval (needs ../shared/data/${folder})`, () => {
  test("counts and the counted nDCG@1/5/10 of the given order", async () => {
    const open = (name: string) => openDataFile(sharedData(`${folder}/${name}`));
    const { lists, report } = await readRerankLists({
      corpus: await open("corpus.tsv"),
      queries: await open("queries.tsv"),
      qrels: await open("qrels.txt"),
    });
    expect(report).toMatchObject({ passages: 420, queries: 21, lists: 21, judgements: 420 });
    expect(report.grades).toEqual({ 0: 290, 1: 40, 2: 90 });
    const hits = JSON.parse(readFileSync(sharedData(`${folder}/data.json`), "utf8")) as {
      hits: { docid: string }[];
    }[];
    const mean = (k: number) => {
      const values = lists.map(({ candidates }, i) => {
        const grades = new Map(candidates.map(({ docid, grade }) => [docid, grade ?? 0]));
        const ranked = (hits[i]?.hits ?? []).map(({ docid }) => grades.get(docid) as number);
        return ndcgAt(k, ranked, [...grades.values()]);
      });
      return (100 * values.reduce((sum, value) => sum + value, 0)) / values.length;
    };
    expect([1, 5, 10].map((k) => mean(k).toFixed(2))).toEqual(["64.29", "58.24", "65.03"]);
  });

  test("BM25 over all passages, in the candidates' order where it ties", async () => {
    const open = (name: string) => openDataFile(sharedData(`${folder}/${name}`));
    const { lists } = await readRerankLists({
      corpus: await open("corpus.tsv"),
      queries: await open("queries.tsv"),
      qrels: await open("qrels.txt"),
    });
    const score = bm25(lists.flatMap(({ candidates }) => candidates.map(({ text }) => text)));
    const mean = (k: number) => {
      const values = lists.map(({ query, candidates }, i) => {
        const own = score(query).slice(20 * i, 20 * (i + 1));
        const order = [...own.keys()].sort((a, b) => (own[b] as number) - (own[a] as number));
        const grades = candidates.map(({ grade = 0 }) => grade);
        return ndcgAt(
          k,
          order.map((place) => grades[place] as number),
          grades,
        );
      });
      return (100 * values.reduce((sum, value) => sum + value, 0)) / values.length;
    };
    expect([1, 5, 10].map((k) => mean(k).toFixed(2))).toEqual(["54.76", "57.73", "65.33"]);
  });
});
