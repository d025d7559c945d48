import { describe, expect, test } from "vitest";
import {
  filesInMemory,
  parseConfig,
  prepareData,
  runConfigSchema,
  shortfallNotes,
} from "../../../src/config/index.js";
import { byteTokenizer, dataFile } from "../../../src/data/index.js";
import { Random } from "../../../src/tensors/index.js";

const sums = Array.from({ length: 20 }, (_, i) => ({
  ...{ prompt: `${i}+1=`, completion: `${i + 1}`, answer: `${i + 1}` },
}));
const pairs = sums.map(({ prompt, completion }) => ({ prompt, chosen: completion, rejected: "0" }));
const corpus = [0, 1, 2].map((i) => ({ _id: `d${i}`, title: "", text: `text ${i}` }));
const queries = [0, 1, 2, 3, 4].map((i) => ({ _id: `q${i}`, text: `query ${i}` }));
const qrels = queries.flatMap(({ _id }) => corpus.map((d, i) => `${_id} 0 ${d._id} ${i}`));
const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const files = filesInMemory([
  dataFile("rows.jsonl", lines(sums)),
  dataFile("pairs.jsonl", lines(pairs)),
  dataFile("corpus.jsonl", lines(corpus)),
  dataFile("queries.jsonl", lines(queries)),
  dataFile("qrels", qrels.join("\n")),
]);
const verified = { type: "jsonl", path: "rows.jsonl", verifier: { type: "number" } };
const ranked = { corpus: "corpus.jsonl", queries: "queries.jsonl", qrels: "qrels" };

interface Changes {
  readonly data?: object;
  readonly teacher?: object;
  readonly trainer?: object;
  readonly evaluation?: object;
}

async function notesOf(changes: Changes, trains = true): Promise<string[]> {
  const config = parseConfig(
    runConfigSchema,
    {
      name: "a",
      student: { architecture: { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 } },
      data: { type: "jsonl", path: "rows.jsonl" },
      trainer: { type: "sft", steps: 5, batchSize: 4 },
      ...changes,
      evaluation: { rows: 1, ...changes.evaluation },
    },
    "config",
  );
  const data = await prepareData(config.data, {
    ...{ tokenizer: byteTokenizer(), random: new Random(1), files },
    ...{ evaluationRows: config.evaluation.rows, evaluationData: config.evaluation.data },
  });
  return shortfallNotes(config, data, 258, trains);
}

test("nothing is said where there is enough of everything", async () => {
  expect(await notesOf({})).toEqual([]);
  const exact = { type: "sft", steps: 5, batchSize: 18, warmupSteps: 4 };
  const sampling = { topK: 258 };
  expect(await notesOf({ trainer: exact, evaluation: { traces: 1, sampling } })).toEqual([]);
});

describe("a batch that is larger than the data says so", () => {
  const loss = [{ type: "dpo" }];
  const rewards = [{ type: "exact" }];
  test.each([
    ["rows", { type: "jsonl", path: "rows.jsonl" }, { type: "sft" }, "18 rows"],
    ["pairs", { type: "pairs", path: "pairs.jsonl" }, { type: "pairs", loss }, "18 pairs"],
    [
      "lists",
      { type: "rerank", ...ranked, validationFraction: 0.8 },
      { type: "rank", loss: [{ type: "rank-net" }] },
      "1 list",
    ],
    ["problems", verified, { type: "reinforce", rewards }, "18 problems"],
  ])("of %s", async (_, data, trainer, number) => {
    const given = (batchSize: number) =>
      notesOf({ data, trainer: { steps: 5, batchSize, ...trainer } });
    const are = number === "1 list" ? "is" : "are";
    expect(await given(20)).toEqual([
      `trainer.batchSize is 20, but there ${are} ${number} to train on: a step has the same ones several times.`,
    ]);
    expect(await given(number === "1 list" ? 1 : 18)).toEqual([]);
  });

  test("but of a task, which has no end", async () => {
    const data = { type: "task", task: { type: "addition" } };
    expect(await notesOf({ data, trainer: { type: "sft", steps: 5, batchSize: 5000 } })).toEqual(
      [],
    );
  });
});

test("a warm-up that outlasts the run says where the learning rate ends", async () => {
  const warm = (warmupSteps: number) =>
    notesOf({ trainer: { type: "sft", steps: 5, batchSize: 4, learningRate: 0.01, warmupSteps } });
  expect(await warm(9)).toEqual([
    "trainer.warmupSteps is 9, but there are 5 steps: the learning rate ends at 0.005, below trainer.learningRate (0.01).",
  ]);
  expect(await warm(5)).toHaveLength(1);
  expect(await warm(4)).toEqual([]);
});

test("held-out rows and traces that there are not are told by set", async () => {
  const data = { small: { type: "jsonl", path: "rows.jsonl" }, task: taskOf("addition") };
  expect(await notesOf({ evaluation: { rows: 30, traces: 3, data } })).toEqual([
    "evaluation.rows is 30, but small.heldOut has 2 rows.",
    "evaluation.traces is 3, but small.heldOut has 2 prompts.",
  ]);
  const rerank = { type: "rerank", ...ranked, validationFraction: 0.6 };
  const trainer = { type: "rank", steps: 1, batchSize: 1, loss: [{ type: "rank-net" }] };
  expect(await notesOf({ data: rerank, trainer, evaluation: { rows: 4 } })).toEqual([
    "evaluation.rows is 4, but heldOut has 3 rows.",
  ]);
});

test("a topK above the vocabulary is told by its field, unless sampling is greedy", async () => {
  const distill = { type: "distill", steps: 5, batchSize: 4, loss: [{ type: "reverse-kl" }] };
  const trainer = { ...distill, sampling: { topK: 400 } };
  const teacher = { from: "teacher" };
  const said = (field: string) =>
    `${field}.topK is 400, but the vocabulary has 258 tokens: none is left out.`;
  expect(await notesOf({ teacher, trainer })).toEqual([said("trainer.sampling")]);
  const greedy = { sampling: { topK: 400, greedy: true } };
  expect(await notesOf({ evaluation: greedy })).toEqual([]);
  const sampler = { type: "hinted", attemptSampling: { topK: 400 } };
  const asked = {
    type: "reinforce",
    steps: 5,
    batchSize: 4,
    sampler,
    rewards: [{ type: "exact" }],
  };
  expect(await notesOf({ trainer: asked, data: taskOf("addition") })).toEqual([
    said("trainer.sampler.attemptSampling"),
  ]);
  expect(await notesOf({ evaluation: { sampling: { topK: 400 } } })).toEqual([
    said("evaluation.sampling"),
  ]);
});

test("an evaluation is told only what is of evaluations", async () => {
  const trainer = { type: "sft", steps: 5, batchSize: 400, warmupSteps: 9 };
  expect(await notesOf({ trainer, evaluation: { rows: 30 } }, false)).toEqual([
    "evaluation.rows is 30, but heldOut has 2 rows.",
  ]);
});

function taskOf(type: string): object {
  return { type: "task", task: { type } };
}
