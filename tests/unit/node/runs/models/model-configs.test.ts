/** Whose models a run holds in memory, before any of them is loaded; and whose scores it asks for. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { characterTokenizer, type RankingList } from "../../../../../src/data/index.js";
import { adapterName } from "../../../../../src/folders/index.js";
import {
  addAdapter,
  initializeDecoder,
  modelConfigSchema,
  setActiveAdapter,
  withHead,
} from "../../../../../src/models/index.js";
import { loadModelFolder, saveSequenceModelFolder } from "../../../../../src/node/index.js";
import { saveAdapter } from "../../../../../src/node/models/adapter-folder.js";
import { askedScores, loadListTeacher } from "../../../../../src/node/runs/models/list-teacher.js";
import {
  fewestPositions,
  folderConfig,
  largestTensors,
  listTeacherConfigs,
  memoryNeeds,
  referenceConfigs,
  teacherConfigs,
} from "../../../../../src/node/runs/models/memory-estimate.js";
import { Random } from "../../../../../src/tensors/index.js";
import { tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

const listKl = [{ type: "list-kl" }];
const ranks = (scores?: object, more: object = {}) =>
  tinyRun("runs", {
    trainer: {
      ...{ type: "rank", steps: 1, ...(scores && { scores }) },
      loss: scores ? listKl : [{ type: "candidate-cross-entropy", scores: "relevance" }],
    },
    ...more,
  });

/** A reranker of the letters of an alphabet. */
async function saveReranker(
  folder: string,
  name: string,
  alphabet = "abcdefgh ?:\n",
): Promise<string> {
  const tokenizer = characterTokenizer({ alphabet });
  const config = modelConfigSchema.parse({
    ...{ family: "llama", vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1 },
    ...{ numHeads: 2, maxPositions: 64, initializerRange: 0.3 },
  });
  const random = new Random(3);
  using model = withHead(initializeDecoder(config, random), { random });
  await saveSequenceModelFolder(join(folder, name), model, tokenizer);
  return join(folder, name);
}

describe("the configs of models", () => {
  test("are those in their folders, of adapters those below", async () => {
    const folder = temporaryFolder();
    const base = await saveTinyTeacher(folder);
    const { model, tokenizer } = await loadModelFolder(base);
    using adapted = model;
    const adapter = join(folder, "adapter");
    addAdapter(adapted, adapterName, { rank: 1, baseModel: base, random: new Random(1) } as never);
    setActiveAdapter(adapted, adapterName);
    await saveAdapter(adapter, adapted, adapterName, tokenizer);
    const own = { hiddenSize: 8, vocabSize: tokenizer.vocabSize, maxPositions: 32 };
    expect(await folderConfig(base)).toMatchObject({ config: own, isAdapter: false });
    expect(await folderConfig(adapter)).toMatchObject({ config: own, isAdapter: true });
  });

  test("of teachers are of those that are models in this process, each of several", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const teacher = (config: object) => teacherConfigs(config as never);
    expect(await teacherConfigs(undefined)).toEqual([]);
    for (const one of [{ from }, { type: "model", from }]) {
      expect(await teacher(one)).toMatchObject([{ hiddenSize: 8 }]);
    }
    for (const type of ["http", "recorded", "self", "n-gram", "hidden-markov"]) {
      expect(await teacher({ type, from: "none" }), type).toEqual([]);
    }
    const teachers = [
      { from },
      { type: "hidden-markov" },
      { type: "mixture", teachers: [{ from }] },
    ];
    expect(await teacher({ type: "mixture", teachers })).toMatchObject([
      ...[{ hiddenSize: 8 }, { hiddenSize: 8 }],
    ]);
  });

  test("of a reranker whose scores are asked for, to learn or to sort by", async () => {
    const from = await saveReranker(temporaryFolder(), "reranker");
    const model = { type: "model", from };
    expect(await listTeacherConfigs(ranks(model))).toMatchObject([{ maxPositions: 64 }]);
    expect(await listTeacherConfigs(ranks({ type: "file", path: "x" }))).toEqual([]);
    expect(await listTeacherConfigs(ranks())).toEqual([]);
    const window = { size: 2, stride: 1, scores: model };
    const evaluation = { window };
    expect(await listTeacherConfigs(tinyRun("runs", { evaluation }))).toHaveLength(1);
    // Of a run that ranks, only what it learns.
    expect(await listTeacherConfigs(ranks(undefined, { evaluation }))).toEqual([]);
  });

  test("of a reference that is a folder; the initial student is counted by the estimate", async () => {
    const from = await saveTinyTeacher(temporaryFolder());
    const of = (trainer: object) => referenceConfigs(trainer as never);
    expect(await of({ type: "reinforce", reference: from })).toMatchObject([{ hiddenSize: 8 }]);
    expect(await of({ type: "reinforce", reference: "initial" })).toEqual([]);
    expect(await of({ type: "reinforce" })).toEqual([]);
    expect(await of({ type: "sft", reference: from })).toEqual([]);
  });
});

describe("the scores that a run asks for", () => {
  test("are the trainer's of a run that ranks, else those of its windows", () => {
    const scores = { type: "file", path: "a.trec" };
    const other = { type: "file", path: "b.trec" };
    const evaluation = { window: { size: 2, stride: 1, scores: other } };
    expect(askedScores(ranks(scores, { evaluation }))).toEqual({ scores, field: "trainer.scores" });
    expect(askedScores(tinyRun("runs", { evaluation }))).toEqual({
      ...{ scores: other, field: "evaluation.window.scores" },
    });
    expect(askedScores(tinyRun("runs"))).toBeUndefined();
    expect(askedScores(ranks())).toBeUndefined();
  });

  const list: RankingList = {
    ...{ queryId: "q1", query: "abc" },
    candidates: [
      { docid: "d1", text: "abcdefgh", ids: [1] },
      { docid: "d2", text: "hgf", ids: [1] },
    ],
  };

  test("in a file are those of each query and passage", async () => {
    const path = join(temporaryFolder(), "run.trec");
    writeFileSync(path, "q1 Q0 d2 1 0.5 x\nq2 Q0 d1 1 7 x\nq1 Q0 d1 2 -0.25 x\n");
    const loaded = await loadListTeacher(ranks({ type: "file", path }));
    expect(await loaded?.teacher.scores(list)).toEqual([-0.25, 0.5]);
    expect([loaded?.files, loaded?.teacher.name]).toEqual([[path], path]);
    loaded?.dispose();
    expect(await loadListTeacher(ranks())).toBeUndefined();
  });

  test("of a model are of the texts, as long as the data says", async () => {
    const from = await saveReranker(temporaryFolder(), "reranker");
    const scoresOf = async (data?: object, evaluation: object = {}) => {
      const run = ranks({ type: "model", from }, { evaluation, ...(data && { data }) });
      const loaded = await loadListTeacher(run);
      expect(loaded?.teacher.name).toBe(from);
      expect(loaded?.files.map((file) => file.replace(`${from}/`, ""))).toContain(
        "model.safetensors",
      );
      const scores = await loaded?.teacher.scores(list);
      loaded?.dispose();
      return scores as number[];
    };
    const whole = await scoresOf();
    expect(whole).toHaveLength(2);
    const files = { type: "rerank", corpus: "c", queries: "q", qrels: "r" };
    const long = { queryLength: 50, passageLength: 50 };
    expect(await scoresOf({ ...files, ...long })).toEqual(whole);
    // In batches of one the sums are the same up to rounding.
    const apart = await scoresOf(undefined, { batchSize: 1 });
    for (const [i, score] of apart.entries()) expect(score).toBeCloseTo(whole[i] as number, 5);
    const short = await scoresOf({ ...files, ...long, passageLength: 4 });
    expect(Math.abs((short[0] as number) - (whole[0] as number))).toBeGreaterThan(1e-4);
    const few = await scoresOf({ ...files, ...long, queryLength: 1 });
    expect(Math.abs((few[1] as number) - (whole[1] as number))).toBeGreaterThan(1e-4);
  });
});

describe("what a step holds", () => {
  const student = modelConfigSchema.parse({
    ...{ family: "llama", vocabSize: 100, maxPositions: 64, hiddenSize: 8, numLayers: 3 },
    ...{ numHeads: 2 },
  });
  const parts = { student, teachers: [], terms: [], trains: true, fewestPositions: 10 };
  const needs = (trainer: object, more: object = {}) =>
    memoryNeeds({ trainer, student: {} } as never, { ...parts, ...more });
  const usual = { type: "sft", batchSize: 7, gradientAccumulationSteps: 2 };

  test("is of the largest micro-batch: rows are not divided", () => {
    // Four of seven.
    expect(needs(usual).activations).toBe(4 * 40 * 2 * 3 * 8);
    expect(needs({ ...usual, gradientAccumulationSteps: 7 }).activations).toBe(4 * 10 * 2 * 3 * 8);
    for (const type of ["pairs", "rank"]) {
      expect(needs({ ...usual, type }).activations).toBe(2 * 4 * 40 * 2 * 3 * 8);
    }
  });

  test("of a sampler that does not say how many it makes is the fewest", () => {
    const reinforce = { ...usual, type: "reinforce", minibatches: 2 };
    const rows = (sampler: object, more: object = {}) =>
      needs({ ...reinforce, sampler, gradientAccumulationSteps: 1, ...more }).activations /
      (4 * 10 * 2 * 3 * 8);
    expect(rows({ type: "given" })).toBe(4);
    expect(rows({ type: "plain", samplesPerProblem: 3 })).toBe(11);
    expect(rows({ type: "plain", samplesPerProblem: 3 }, { minibatches: 1 })).toBe(21);
  });

  test("of the student that a run begins with is its weights once more, if it is another", () => {
    const initial = {
      ...usual,
      type: "reinforce",
      sampler: {},
      minibatches: 1,
      reference: "initial",
    };
    const weights = needs(initial).student;
    expect(needs(initial).teacher).toBe(weights);
    expect(needs({ ...initial, reference: "folder" }).teacher).toBe(0);
    expect(needs({ ...initial, type: "sft" }).teacher).toBe(0);
    expect(needs(initial, { trains: false }).teacher).toBe(0);
    expect(needs(initial, { isAdapter: true }).teacher).toBe(0);
    expect(needs(initial, { teachers: [student, student] }).teacher).toBe(3 * weights);
  });

  test("of the largest tensors is one of each", () => {
    const tensors = (more: object = {}) =>
      largestTensors({ trainer: usual } as never, { ...parts, ...more });
    expect(tensors()).toEqual({
      student: 4 * 8 * 100,
      teacher: 0,
      attention: 4 * 40 * 10 * 2,
      logits: 0,
    });
    const wide = { ...student, vocabSize: 1000 };
    expect(tensors({ teachers: [student, wide] }).teacher).toBe(4 * 8 * 1000);
  });

  test("is as long as the shortest row that there can be", () => {
    const fewest = (trainer: object, type: string, lengths?: readonly number[]) =>
      fewestPositions(
        { trainer, data: { type } } as never,
        {
          ...{ positions: 64, lengths: lengths && (() => lengths) },
        } as never,
      );
    const sft = { type: "sft" };
    expect(fewest(sft, "jsonl", [9, 5])).toBe(4);
    expect(fewest(sft, "jsonl")).toBe(1);
    expect(fewest({ type: "reinforce" }, "text", [9])).toBe(1);
    expect(fewest({ type: "distill", onPolicyFraction: 0 }, "jsonl", [9])).toBe(8);
    expect(fewest({ type: "distill", onPolicyFraction: 0.1 }, "text", [9])).toBe(1);
    // Only distill has rows of the student's own.
    expect(fewest({ type: "sft", onPolicyFraction: 1 }, "jsonl", [9])).toBe(8);
  });
});
