import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunConfig } from "../../../../../src/config/index.js";
import { characterTokenizer } from "../../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema, withHead } from "../../../../../src/models/index.js";
import {
  evaluateRun,
  resolveEvaluation,
  saveSequenceModelFolder,
  toJson,
  trainRun,
} from "../../../../../src/node/index.js";
import { Random } from "../../../../../src/tensors/index.js";
import { metricsOf, runToEnd, stepsOf, tinyRun, weightsOf } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const listKl = [{ type: "list-kl", temperature: 2 }];
const grades = [{ type: "candidate-cross-entropy", scores: "relevance" }];
const task = {
  type: "task",
  task: { type: "rerank", topics: 4, synonyms: 1, candidates: 3, longerBy: 1 },
};

const rankRun = (output: string, trainer: object, changes: object = {}): RunConfig =>
  tinyRun(output, {
    data: task,
    trainer: { type: "rank", steps: 4, batchSize: 2, warmupSteps: 1, ...trainer },
    evaluation: { every: 2, rows: 2 },
    checkpoint: { every: 2 },
    ...changes,
  });

/** A reranker with its tokenizer, as Python would have saved it; knows the letters of all data here. */
async function saveReranker(folder: string, numLabels = 1, seed = 3): Promise<string> {
  const tokenizer = characterTokenizer({ alphabet: `${letters}0123456789 =\n.,:;?!-[]>` });
  const config = modelConfigSchema.parse({
    ...{ family: "llama", vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1 },
    ...{ numHeads: 2, maxPositions: 256, initializerRange: 0.3 },
  });
  const random = new Random(seed);
  using model = withHead(initializeDecoder(config, random), {
    random,
    labels: Array.from({ length: numLabels }, (_, i) => `LABEL_${i}`),
  });
  const path = join(folder, `reranker-${numLabels}`);
  await saveSequenceModelFolder(path, model, tokenizer);
  return path;
}
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** TREC files of two queries: the first to train on, the second held out. */
function trecFiles(folder: string) {
  const write = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
    return join(folder, name);
  };
  const qrels = ["q1 0 d1 2", "q1 0 d2 0", "q1 0 d3 1", "q2 0 d1 0", "q2 0 d2 1", "q2 0 d3 2"];
  const data = {
    type: "rerank",
    corpus: write("corpus.tsv", ["d1\tred fox", "d2\tblue whale", "d3\tred whale"]),
    queries: write("queries.tsv", ["q1\tred", "q2\twhale"]),
    qrels: write("qrels.txt", qrels),
    validationFraction: 0.5,
  };
  /** A run whose scores are a function of the grades. */
  const scores = (name: string, of: (grade: number) => number, keep = qrels) => ({
    type: "file",
    path: write(
      name,
      keep.map((line) => {
        const [query, , docid, grade] = line.split(" ");
        return `${query} Q0 ${docid} 1 ${of(Number(grade))} test`;
      }),
    ),
  });
  return { data, qrels, scores };
}

const folderOf = ({ output, name }: RunConfig) => join(output, name);
const read = (config: RunConfig, file: string) =>
  JSON.parse(readFileSync(join(folderOf(config), file), "utf8")) as Record<string, unknown>;

describe("a run that ranks", () => {
  test("learns a reranker's scores, is measured against it, and goes on exactly", async () => {
    const root = temporaryFolder();
    const from = await saveReranker(root);
    const trainer = { scores: { type: "model", from }, candidates: 2, loss: listKl };
    const whole = rankRun(join(root, "whole"), trainer);
    const [started] = await runToEnd(whole);
    const notes = started?.type === "started" ? started.notes.join("\n") : "";
    expect(notes).toMatch(/Head: one score from 8 weights.*Scores to learn: those of .*reranker-1/);
    expect(stepsOf(whole).map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    const { final, steps } = read(whole, "summary.json") as {
      final: Record<string, number>;
      steps: number;
    };
    expect(steps).toBe(4);
    for (const name of ["ndcg10", "kendallTau", "teacherKendallTau", "teacherListKl"]) {
      expect(final[`heldOut.${name}`], name).toEqual(expect.any(Number));
    }
    // The scores are what decides: a checkpoint says which.
    expect(read(whole, "checkpoints/step-4/teacher.json")).toMatchObject({
      scores: { kind: "model", hashOf: "files", options: { from } },
    });

    const stopped = rankRun(join(root, "stopped"), trainer);
    await runToEnd(stopped, { stopAfter: 3 });
    await runToEnd(stopped, { resume: true });
    expect(metricsOf(stopped)).toEqual(metricsOf(whole));
    expect(weightsOf(stopped, 4)).toEqual(weightsOf(whole, 4));

    // Measured again, from its folder, it is what it was at its end.
    const { metrics } = await evaluateRun(await resolveEvaluation(folderOf(whole), []));
    expect(metrics).toEqual(final);
  });

  test("is refused where it would go on with another reranker", async () => {
    const root = temporaryFolder();
    const from = await saveReranker(root);
    const config = rankRun(root, { scores: { type: "model", from }, loss: listKl });
    await runToEnd(config, { stopAfter: 2 });
    rmSync(from, { recursive: true });
    await saveReranker(root, 1, 4);
    await expect(runToEnd(config, { resume: true })).rejects.toThrow(
      /not the one that this run learned from: scores: hash/,
    );
    const path = folderOf(config);
    for await (const event of trainRun({ config, path, resume: true, newTeacher: true })) {
      if (event.type === "resumed") expect(event.notes.join()).toContain("as asked for");
    }
    expect(read(config, "summary.json")).toMatchObject({ steps: 4 });
  });

  test("by grades alone has no teacher, in its notes, measures and checkpoints", async () => {
    const config = rankRun(temporaryFolder(), { steps: 2, loss: grades });
    const [started] = await runToEnd(config);
    expect(started?.type === "started" && started.notes.join()).toContain(
      "Scores to learn: no teacher's.",
    );
    const { final } = read(config, "summary.json");
    expect(Object.keys(final as object)).toContain("heldOut.ndcg10");
    expect(toJson(final)).not.toContain("teacher");
    expect(() => read(config, "checkpoints/step-2/teacher.json")).toThrow("ENOENT");
  });

  test("learns scores of a file, of every candidate", async () => {
    const root = temporaryFolder();
    const { data, qrels, scores } = trecFiles(root);
    const trainer = { steps: 2, batchSize: 1, loss: listKl };
    const learn = (name: string, source: object) => {
      const config = rankRun(root, { ...trainer, scores: source }, { data, name });
      return runToEnd(config).then(() => read(config, "summary.json")["final"]);
    };
    // The teacher's order is that of the grades, or the opposite: so are the two correlations.
    const same = await learn(
      "same",
      scores("same.trec", (grade) => grade * 0.5),
    );
    const opposite = await learn(
      "opposite",
      scores("opposite.trec", (grade) => -grade),
    );
    for (const [final, sign] of [
      [same, 1],
      [opposite, -1],
    ] as const) {
      const { "heldOut.kendallTau": tau, "heldOut.teacherKendallTau": ofTeacher } = final as Record<
        string,
        number
      >;
      expect(Math.abs(tau as number)).toBeGreaterThan(0);
      expect(ofTeacher).toBeCloseTo(sign * (tau as number), 6);
    }
    const missing = scores("missing.trec", (grade) => grade, qrels.slice(1));
    await expect(learn("missing", missing)).rejects.toThrow(/missing\.trec.*d1/s);
  });

  test("goes on under the same data in silence, and says where a grade is another", async () => {
    const root = temporaryFolder();
    const { data, qrels } = trecFiles(root);
    const config = rankRun(root, { steps: 6, batchSize: 1, loss: grades }, { data });
    const resumed = async (stopAfter: number) => {
      const events = await runToEnd(config, { resume: true, stopAfter });
      const [first] = events;
      return first?.type === "resumed" ? first.notes.join("\n") : "nothing";
    };
    await runToEnd(config, { stopAfter: 2 });
    expect(await resumed(4)).toBe("");
    writeFileSync(join(root, "qrels.txt"), qrels.join("\n").replace("q1 0 d2 0", "q1 0 d2 1"));
    expect(await resumed(6)).toContain("The data is not what the run began with");
  });
});

describe("what cannot rank leaves nothing behind", () => {
  test("a teacher of two scores", async () => {
    const root = temporaryFolder();
    const from = await saveReranker(root, 2);
    const config = rankRun(root, { scores: { type: "model", from }, loss: listKl });
    await expect(runToEnd(config)).rejects.toThrow(
      /trainer\.scores\.from: .*reranker-2 gives 2 scores, one is needed to rank\. Give a reranker/,
    );
  });

  test("a student of two scores", async () => {
    const root = temporaryFolder();
    const from = await saveReranker(root, 2);
    const config = rankRun(root, { loss: grades }, { student: { from } });
    await expect(runToEnd(config)).rejects.toThrow(
      /student\.from: has a head with 2 scores, one is needed to rank/,
    );
  });

  test("a student with a head, of data that is not there", async () => {
    const root = temporaryFolder();
    const from = await saveReranker(root);
    const { data } = trecFiles(root);
    rmSync(data.corpus);
    const config = rankRun(root, { loss: grades }, { student: { from }, data });
    await expect(runToEnd(config)).rejects.toThrow(/corpus\.tsv/);
  });

  test("data without lists", async () => {
    const config = rankRun(
      temporaryFolder(),
      { loss: grades },
      { data: { type: "task", task: { type: "addition", maxDigits: 1 } } },
    );
    await expect(runToEnd(config)).rejects.toThrow("The data has no lists of candidates");
  });
});

test("a text model's windows begin from the lists as the first stage's scores sort them", async () => {
  const root = temporaryFolder();
  const { data, scores } = trecFiles(root);
  const architecture = { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 };
  const measure = async (first?: object) => {
    const config = tinyRun(root, {
      data: { ...data, validationFraction: 1 },
      student: { architecture: { ...architecture, maxPositions: 512 } },
      tokenizer: { type: "byte" },
      evaluation: {
        ...{ rows: 2, maxNewTokens: 1 },
        window: { size: 2, stride: 1, ...(first && { scores: first }) },
      },
    });
    return (await evaluateRun(config)).metrics;
  };
  // In one new token no window is ranked: lists stay as they came.
  const best = await measure(scores("best.trec", (grade) => grade));
  expect(best).toMatchObject({ "heldOut.windowNdcg1": 1, "heldOut.windowWholeRate": 0 });
  const worst = await measure(scores("worst.trec", (grade) => -grade));
  expect(worst).toMatchObject({ "heldOut.windowNdcg1": 0 });
  // As the data has them: q1 begins with its best passage, q2 with its worst.
  expect(await measure()).toMatchObject({ "heldOut.windowNdcg1": 0.5 });
  const two = { type: "model", from: await saveReranker(root, 2) };
  await expect(measure(two)).rejects.toThrow(/evaluation\.window\.scores\.from: .*gives 2 scores/);
});
