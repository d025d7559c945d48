import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type RankingList } from "../../../src/data/index.js";
import {
  candidateCrossEntropyLoss,
  dpoLoss,
  listKlLoss,
  type LossTerm,
  lossTerm,
  rankNetLoss,
} from "../../../src/losses/index.js";
import {
  initializeDecoder,
  modelConfigSchema,
  type SequenceModel,
  withHead,
} from "../../../src/models/index.js";
import { loadModelFolder, loadSequenceModelFolder } from "../../../src/node/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { noCost } from "../../../src/rollouts/index.js";
import { type ListTeacher, scoreSequences } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import {
  evaluateRanking,
  rank,
  rankingMetrics,
  type StepMetrics,
} from "../../../src/trainers/index.js";
import { metricsOf, runToEnd, tinyRun, weightsOf } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: 11, hiddenSize: 8, numLayers: 1, numHeads: 2 },
  ...{ maxPositions: 16, initializerRange: 0.5 },
});
const model = (seed: number): SequenceModel =>
  withHead(initializeDecoder(config, new Random(seed)), { random: new Random(seed) });

/** Lists of unequal lengths, with candidates of unequal lengths. */
function someLists(count: number): RankingList[] {
  const random = new Random(3);
  return Array.from({ length: count }, (_, i) => ({
    ...{ queryId: `${i}`, query: "" },
    candidates: Array.from({ length: 2 + (i % 3) }, (_, j) => ({
      ...{ docid: `${j}`, text: "", grade: [2, 0, 1, 0][(i + j) % 4] as number },
      ids: Array.from({ length: 1 + ((i + 2 * j) % 5) }, () => random.integer(11)),
    })),
  }));
}

const teacher: ListTeacher = {
  name: "by place",
  scores: ({ candidates }) => Promise.resolve(candidates.map((_, i) => 1.5 * i)),
};

async function firstStep(
  loss: readonly LossTerm[],
  lists: readonly RankingList[],
  changes: { gradientAccumulationSteps?: number; candidates?: number; teacher?: ListTeacher } = {},
): Promise<StepMetrics> {
  using student = model(1);
  using optimizer = new AdamW(student.trainableParameters());
  const data = { lists: () => lists };
  const training = { student, optimizer, loss, data, tokenizer: { padId: 0 } };
  const options = { ...training, batchSize: lists.length, random: new Random(1), ...changes };
  for await (const metrics of rank({ ...options, steps: 1 })) return metrics;
  throw new Error("There was no step.");
}

const scores = async (rows: readonly (readonly number[])[]) => {
  using student = model(1);
  return await scoreSequences(student, rows, { padId: 0, batchSize: 2 });
};

describe("rank", () => {
  const lists = someLists(5);

  test("costs one pass per candidate, and one of the teacher where there is one", async () => {
    const loss = [lossTerm(candidateCrossEntropyLoss, {})];
    const candidates = lists.flatMap((list) => list.candidates).length;
    const cost = { ...noCost, studentForwards: candidates };
    expect((await firstStep(loss, lists)).cost).toEqual(cost);
    const taught = (await firstStep(loss, lists, { teacher })).cost;
    expect(taught).toEqual({ ...cost, teacherForwards: candidates });
  });

  test("is the mean over queries of the losses, each on the scores that it names", async () => {
    const terms = [
      { ...lossTerm(candidateCrossEntropyLoss, {}, 0.9), scores: "relevance" as const },
      lossTerm(listKlLoss, { temperature: 2, temperatureSquared: true }, 0.1),
    ];
    const { loss, terms: means, tokens } = await firstStep(terms, lists, { teacher });
    let [crossEntropy, kl] = [0, 0];
    for (const { candidates } of lists) {
      const s = await scores(candidates.map(({ ids }) => ids));
      const logSum = (x: readonly number[]) => Math.log(x.reduce((sum, v) => sum + Math.exp(v), 0));
      const relevant = candidates.flatMap(({ grade = 0 }, i) => (grade > 0 ? [i] : []));
      const logProbs = s.map((score) => score - logSum(s));
      for (const i of relevant) crossEntropy -= (logProbs[i] as number) / relevant.length / 5;
      const half = s.map((score) => score / 2);
      const target = candidates.map((_, i) => 0.75 * i);
      for (const i of candidates.keys()) {
        const logP = (target[i] as number) - logSum(target);
        const logQ = (half[i] as number) - logSum(half);
        kl += (4 * Math.exp(logP) * (logP - logQ)) / 5;
      }
    }
    expect(means["candidate-cross-entropy"]).toBeCloseTo(crossEntropy, 5);
    expect(means["list-kl"]).toBeCloseTo(kl, 5);
    expect(loss).toBeCloseTo(0.9 * crossEntropy + 0.1 * kl, 5);
    const rows = lists.flatMap(({ candidates }) => candidates);
    expect(tokens).toBe(rows.reduce((sum, { ids }) => sum + ids.length, 0));
  });

  test("takes the teacher's scores where there is one, else the grades", async () => {
    const terms = [lossTerm(listKlLoss, {})];
    const grades = [{ ...lossTerm(listKlLoss, {}), scores: "grades" as const }];
    const byGrades = await firstStep(grades, lists, { teacher });
    expect((await firstStep(terms, lists)).loss).toBeCloseTo(byGrades.loss, 6);
    expect((await firstStep(terms, lists, { teacher })).loss).not.toBeCloseTo(byGrades.loss, 2);
  });

  test("does not depend on how a step is split up", async () => {
    const terms = [lossTerm(rankNetLoss, { target: "soft" }), lossTerm(listKlLoss, {})];
    const whole = await firstStep(terms, lists, { teacher });
    const parts = await firstStep(terms, lists, { teacher, gradientAccumulationSteps: 3 });
    expect(parts.loss).toBeCloseTo(whole.loss, 5);
    expect(parts.gradNorm).toBeCloseTo(whole.gradNorm, 4);
    expect(parts.tokens).toBe(whole.tokens);
  });

  test("looks at no more candidates than it may", async () => {
    const terms = [lossTerm(rankNetLoss, {})];
    const few = await firstStep(terms, lists, { candidates: 2 });
    expect(few.tokens).toBeLessThan((await firstStep(terms, lists)).tokens);
  });

  test.each([
    [[lossTerm(dpoLoss, {})], "which a trainer of rankings does not have"],
    [[{ ...lossTerm(listKlLoss, {}), scores: "teacher" as const }], "but there are none"],
  ])("refuses what it cannot supply", async (terms, message) => {
    await expect(firstStep(terms, lists)).rejects.toThrow(message);
  });
});

describe("evaluateRanking", () => {
  const list = (grades: readonly number[]): RankingList => ({
    ...{ queryId: "q", query: "" },
    candidates: grades.map((grade, i) => ({ docid: `${i}`, text: "", ids: [i + 1], grade })),
  });

  test("hand-computed", () => {
    const metrics = rankingMetrics(
      [list([2, 0, 1]), list([0, 0])],
      [
        [0, 0, Math.log(2)],
        [5, 5],
      ],
    );
    const best = 2 + 1 / Math.log2(3);
    // Ranked 1, 2, 0: equal scores as they are listed. The list without a relevant candidate does not count.
    expect(metrics["ndcg1"]).toBeCloseTo(1 / 2, 12);
    expect(metrics["ndcg5"]).toBeCloseTo((1 + 2 / Math.log2(3)) / best, 12);
    // One of three pairs is tied by the scores, one agrees, one does not.
    expect(metrics["kendallTau"]).toBe(0);
    // Probabilities 1/4, 1/4, 1/2 against 1/2, 0, 1/2.
    expect(metrics["calibrationError"]).toBeCloseTo(0, 12);
    expect(metrics["scoreError"]).toBeCloseTo((2 + 0 + (1 - Math.log(2)) + 10) / 5, 12);
  });

  test("a student is compared with its teacher", async () => {
    using student = model(1);
    const lists = someLists(4);
    const same: ListTeacher = {
      name: "itself",
      scores: ({ candidates }) => scores(candidates.map(({ ids }) => ids)),
    };
    const options = { padId: 0, batchSize: 3 };
    const own = await evaluateRanking(student, lists, { ...options, teacher: same });
    expect(own["teacherKendallTau"]).toBeCloseTo(1, 12);
    expect(own["teacherListKl"]).toBeCloseTo(0, 6);
    const other = await evaluateRanking(student, lists, { ...options, teacher });
    expect(other["teacherListKl"]).toBeGreaterThan(0.1);
    expect(other["ndcg10"]).toBe(own["ndcg10"]);
  });
});

describe("a run that ranks", () => {
  const data = { type: "task", task: { type: "rerank", topics: 4, synonyms: 2, candidates: 3 } };
  const architecture = { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 };
  const student = { architecture: { ...architecture, tieWordEmbeddings: true } };
  const evaluation = { every: 6, rows: 2 };
  const trainer = (scores?: object) => ({
    ...{ type: "rank", steps: 6, batchSize: 2, warmupSteps: 2, gradientAccumulationSteps: 2 },
    ...{ candidates: 2, ...(scores && { scores }) },
    loss: [
      { type: "candidate-cross-entropy", scores: "relevance", weight: 0.9 },
      { type: "list-kl", temperature: 2, weight: 0.1 },
    ],
  });

  test("goes on bit for bit, saves its head, and teaches another", async () => {
    const folder = temporaryFolder();
    const whole = tinyRun(join(folder, "whole"), { data, student, evaluation, trainer: trainer() });
    const parts = tinyRun(join(folder, "parts"), { data, student, evaluation, trainer: trainer() });
    await runToEnd(whole);
    await runToEnd(parts, { stopAfter: 4 });
    await runToEnd(parts, { resume: true });
    expect(metricsOf(parts)).toEqual(metricsOf(whole));
    expect(weightsOf(parts, 6).equals(weightsOf(whole, 6))).toBe(true);
    expect(weightsOf(whole, 6).equals(weightsOf(whole, 3))).toBe(false);
    expect(metricsOf(whole)[0]).toMatchObject({
      "heldOut.ndcg10": expect.any(Number),
      "longer.kendallTau": expect.any(Number),
    });
    const from = join(whole.output, whole.name, "checkpoints", "step-6");
    const loaded = await loadSequenceModelFolder(from);
    expect(loaded.model.head.numLabels).toBe(1);
    loaded.model.dispose();
    // The language model below the head, for a second stage.
    const body = await loadModelFolder(from);
    body.model.dispose();
    const second = tinyRun(join(folder, "second"), {
      ...{ data, evaluation, trainer: trainer({ type: "model", from }), student: { from } },
    });
    const events = await runToEnd(second);
    expect(JSON.stringify(events[0])).toContain("Scores to learn: those of");
    expect(metricsOf(second)[0]).toMatchObject({ "heldOut.teacherKendallTau": 1 });
  });

  test("with an adapter saves the head beside it and goes on", async () => {
    const folder = temporaryFolder();
    const base = tinyRun(join(folder, "base"), { data, student, evaluation, trainer: trainer() });
    await runToEnd(base);
    const from = join(base.output, base.name, "checkpoints", "step-6");
    const adapted = { data, evaluation, trainer: trainer(), student: { from, lora: { rank: 2 } } };
    const whole = tinyRun(join(folder, "whole"), adapted);
    const parts = tinyRun(join(folder, "parts"), adapted);
    await runToEnd(whole);
    await runToEnd(parts, { stopAfter: 4 });
    await runToEnd(parts, { resume: true });
    expect(metricsOf(parts)).toEqual(metricsOf(whole));
  });

  test("a text model ranks held-out lists a window at a time", async () => {
    const config = tinyRun(join(temporaryFolder(), "text"), {
      data,
      trainer: { type: "sft", steps: 1, batchSize: 2 },
      evaluation: { every: 1, rows: 1, maxNewTokens: 4, window: { size: 2, stride: 1 } },
    });
    await runToEnd(config);
    const [first] = metricsOf(config);
    // An untrained model names nothing, so that the order stays that of the data.
    expect(first).toMatchObject({
      "heldOut.windowWholeRate": 0,
      "longer.windowNdcg5": expect.any(Number),
    });
  });

  test("data without lists is refused", async () => {
    const config = tinyRun(join(temporaryFolder(), "none"), { trainer: trainer() });
    await expect(runToEnd(config)).rejects.toThrow("no lists of candidates");
  });
});
