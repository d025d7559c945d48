import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  characterTokenizerFor,
  datasetSchema,
  filesInMemory,
  prepareData,
} from "../../../../src/config/index.js";
import { dataFile, judgedSteps, type Problem } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";

/** A generated example: is an X, which is a Y, which is (not) red, red? */
function example(name: string, isRed: boolean) {
  const last = `Vumpuses are ${isRed ? "" : "not "}red.`;
  return {
    test_example: {
      question: `Every brimpus is a vumpus. ${last} Each impus is a numpus. ${name} is a brimpus.`,
      query: `True or false: ${name} is red.`,
      chain_of_thought: [
        `${name} is a brimpus.`,
        "Every brimpus is a vumpus.",
        `${name} is a vumpus.`,
        last,
        `${name} is ${isRed ? "" : "not "}red.`,
      ],
      answer: isRed ? "True" : "False",
    },
  };
}

const names = ["Max", "Sam", "Rex", "Fae", "Wren", "Stella", "Polly", "Alex", "Sally", "Max"];
const json = Object.fromEntries(
  names.map((name, i) => [`example${i + 1}`, example(name, i % 3 === 0)]),
);
const files = filesInMemory([dataFile("p.json", JSON.stringify(json)), dataFile("bad.json", "[")]);
const dataset = (changes: object = {}) =>
  datasetSchema.parse({ type: "prontoqa", path: "p.json", validationFraction: 0.2, ...changes });

async function prepared(changes: object = {}, more: object = {}) {
  const data = dataset(changes);
  const tokenizer = await characterTokenizerFor(data, files);
  const ready = await prepareData(data, { tokenizer, files, random: new Random(1), ...more });
  return { ...ready, tokenizer };
}

describe("a file of PrOntoQA", () => {
  test("has rows with whole proofs, and its last problems to evaluate on", async () => {
    const { training, evaluation, tokenizer, notes, problems } = await prepared();
    expect(training.size).toBe(8);
    expect(notes).toEqual(["p.json: 8 problems to train on, 2 to validate on."]);
    const [row] = await training.rows(0, 1);
    const text = tokenizer.decode(row?.ids.slice(0, -1) ?? []);
    expect(text).toMatch(/^Every brimpus .* True or false: \w+ is red\.\n\w+ is a brimpus\.\n/);
    expect(text).toMatch(/\n(True|False)$/);
    const ids = (await training.rows(0, 8)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(8);
    expect(evaluation.map(({ name, rows }) => [name, rows.length])).toEqual([["heldOut", 2]]);
    expect(problems?.source.size("train")).toBe(8);
  });

  test("is judged, checked step by step, solved and continued as the task does its own", async () => {
    const { evaluation, problems, tokenizer } = await prepared();
    const source = problems?.source;
    if (source === undefined) throw new Error("It has problems.");
    const problem = source.problem("heldOut", 0, new Random(1));
    const proof = (problem as Problem).completion ?? "";
    expect(source.verify(problem, proof)).toMatchObject({ correct: true, traceCorrect: true });
    expect(source.verify(problem, proof.replace(/False$/, "True")).correct).toBe(false);
    const judged = (text: string) =>
      (judgedSteps(source, problem, text) ?? []).map(({ correct }) => correct);
    expect(judged(proof)).not.toContain(false);
    const broken = proof.replace(/is a vumpus\.\nV/, "is a numpus.\nV");
    expect(judged(broken)).toContain(false);
    const random = new Random(2);
    expect(source.solve?.(problem, { style: "direct" }, random)).toBe(problem.answer);
    const begun = proof.slice(0, proof.indexOf("\n") + 1);
    expect(begun + source.continueFrom?.(problem, begun, {}, random)).toBe(proof);
    const right = [...tokenizer.encode(proof), ...tokenizer.endIds];
    expect(evaluation[0]?.verify?.(0, right)).toBe(true);
  });

  test("takes a prefix, a file of its own to evaluate on, and several", async () => {
    const { training, evaluation, tokenizer } = await prepared({
      ...{ prefix: "§", path: ["p.json", "p.json"], validationPath: "p.json", budget: 40 },
    });
    expect(training.size).toBe(20);
    expect(evaluation[0]?.rows).toHaveLength(10);
    expect(evaluation[0]?.budget).toBe(40);
    const [row] = await training.rows(0, 1);
    expect(tokenizer.decode(row?.ids ?? [])).toMatch(/^§Every/);
  });

  test("is refused where it is none, or has no room", async () => {
    await expect(prepared({ path: "bad.json" })).rejects.toThrow(/^bad\.json: it is no JSON/);
    await expect(prepared({}, { maxPositions: 64 })).rejects.toThrow(
      /p\.json:example1: It has \d+ tokens; the model has room for 65/,
    );
  });
});

const file = "prontoqa/logicllm_dev_5hop_500.json";
test.skipIf(missing(file))("a published file is read (needs ../shared/data/prontoqa)", async () => {
  const published = filesInMemory([dataFile(file, readFileSync(sharedData(file)))]);
  const data = dataset({ path: file });
  const tokenizer = await characterTokenizerFor(data, published);
  const options = { tokenizer, files: published, random: new Random(1), evaluationRows: 5 };
  const { training, evaluation, problems } = await prepareData(data, options);
  expect(training.size).toBe(400);
  expect(evaluation[0]?.rows).toHaveLength(5);
  expect(problems?.source.size("heldOut")).toBe(100);
});
