import { describe, expect, test } from "vitest";
import {
  characterTokenizerFor,
  datasetSchema,
  filesInMemory,
  parseConfig,
  prepareData,
} from "../../../../src/config/index.js";
import { byteTokenizer, dataFile, defineVerifier } from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { z } from "zod";

const tokenizer = byteTokenizer();
const random = new Random(1);

function prepare(rows: readonly object[], changes: object = {}, options: object = {}) {
  const text = rows.map((row) => JSON.stringify(row)).join("\n");
  const files = filesInMemory([dataFile("rows.jsonl", new TextEncoder().encode(text))]);
  const config = { type: "jsonl", path: "rows.jsonl", validationFraction: 0.25, ...changes };
  const dataset = parseConfig(datasetSchema, config, "data");
  return prepareData(dataset, { tokenizer, random, files, ...options });
}

const solved = Array.from({ length: 8 }, (_, i) => ({
  question: `What is ${i}+1?`,
  answer: `${i} and 1 make ${i + 1}.\n#### ${i + 1}`,
}));
const fields = { prompt: "question", completion: "answer", answer: "answer" };
const verifier = { type: "after-marker" };

describe("rows with a verifier", () => {
  test("give problems in the order of training, and verify the held-out ones", async () => {
    const data = await prepare(solved, { fields, verifier });
    const asked = await data.problems?.problems(0, 6);
    const rows = await data.training.rows(0, 6);
    expect(asked?.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(new Set(asked?.map(({ prompt }) => prompt)).size).toBe(6);
    const { source } = data.problems ?? {};
    expect([source?.size("train"), source?.size("heldOut"), source?.size("longer")]).toEqual([
      6, 2, 0,
    ]);
    const problem = source?.problem("heldOut", 2, random);
    expect(problem).toEqual({
      id: "rows.jsonl:7",
      prompt: "What is 6+1?",
      answer: solved[6]?.answer,
      completion: solved[6]?.answer,
    });
    expect(source?.verify(problem as never, "#### 7.0")).toEqual({
      correct: true,
      answer: "7.0",
      traceCorrect: false,
    });
    expect(() => source?.problem("longer", 0, random)).toThrow(/no problems of the split "longer"/);
    const verify = data.evaluation[0]?.verify;
    expect(verify?.(0, tokenizer.encode("#### 7"))).toBe(true);
    expect(verify?.(1, tokenizer.encode("#### 7"))).toBe(false);
  });

  test("may be prompts with answers alone", async () => {
    const rows = solved.map(({ question, answer }) => ({ prompt: question, answer }));
    const data = await prepare(rows, { verifier });
    expect(data.promptsOnly).toBe(true);
    expect((await data.problems?.problems(0, 1))?.[0]).not.toHaveProperty("completion");
    expect(data.evaluation[0]?.verify?.(0, tokenizer.encode("#### 7"))).toBe(true);
  });

  test("say which validation prompts are trained on", async () => {
    const data = await prepare([...solved.slice(0, 7), solved[0] as object], { fields, verifier });
    expect(data.notes.join("\n")).toContain(
      "1 of 2 validation prompts are trained on too, such as rows.jsonl:8.",
    );
  });

  test("may have a prefix and a budget", async () => {
    const changes = { fields, verifier, prefix: "<8>", budget: 8 };
    const data = await prepare(solved, changes);
    const [problem] = (await data.problems?.problems(0, 1)) ?? [];
    const [row] = await data.training.rows(0, 1);
    expect(problem?.prompt).toMatch(/^<8>What is \d\+1\?$/);
    expect(tokenizer.decode(row?.ids.slice(0, row.completionStart) ?? [])).toBe(problem?.prompt);
    expect(data.evaluation[0]).toMatchObject({ name: "heldOut", budget: 8 });
    const chat = { messages: [{ role: "user", content: "?" }], answer: "1" };
    await expect(prepare([chat], { prefix: "<8>" })).rejects.toThrow(
      /data\.prefix: stands before prompts of text/,
    );
  });

  test("are chats too, without problems", async () => {
    const chats = solved.map(({ question, answer }) => ({
      messages: [
        { role: "user", content: question },
        { role: "assistant", content: answer },
      ],
      answer,
    }));
    const chatTemplate = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";
    const data = await prepare(chats, { verifier, chatTemplate });
    expect(data.problems).toBeUndefined();
    expect(data.notes.join("\n")).toContain("The rows are chats");
    expect(data.evaluation[0]?.verify?.(0, tokenizer.encode("#### 7"))).toBe(true);
  });
});

describe("a verifier is held to the data before anything is trained:", () => {
  const prompts = (answers: readonly string[]) =>
    answers.map((answer, i) => ({ prompt: `${i}?`, answer }));

  test.each([
    [
      "answers it cannot read",
      prompts(["one", "2", "3", "4"]),
      { verifier: { type: "number" } },
      /rows\.jsonl:1.*"number" rejects the row's own answer: it read no answer in it, and the answer is "one" \(1 of 4 rows/s,
    ],
    [
      "completions that say something else",
      solved.map(({ question }, i) => ({ prompt: question, completion: `So ${i}.`, answer: "1" })),
      { verifier: { type: "last-number" } },
      /rows\.jsonl:1.*rejects the completion that the row gives: it read "0", and the answer is "1" \(7 of 8 rows/s,
    ],
    [
      "completions without the marker",
      solved.map(({ question }, i) => ({
        prompt: question,
        completion: `So ${i}.`,
        answer: `${i}`,
      })),
      { verifier },
      /rejects the completion that the row gives: it read no answer in it/,
    ],
    [
      "rows without an answer",
      [...prompts(["1", "2", "3"]), { prompt: "?" }, { prompt: "!" }],
      { verifier: { type: "number" } },
      /2 of 5 rows have no answer: rows\.jsonl:4, rows\.jsonl:5\./,
    ],
    [
      "a pattern that matches nothing at all",
      prompts(["1", "2", "3", "4"]),
      { verifier: { type: "regex", pattern: "x*$" } },
      /"regex" rejects the row's own answer|accepts a completion without a word/,
    ],
  ])("%s", async (_title, rows, changes, message) => {
    await expect(prepare(rows, changes)).rejects.toThrow(message);
  });

  test("a bare answer is taken where the completions have the marker", async () => {
    const rows = solved.map(({ question, answer }, i) => ({
      ...{ prompt: question, completion: answer, answer: `${i + 1}` },
    }));
    expect((await prepare(rows, { verifier })).problems).toBeDefined();
  });

  test("one that accepts an empty completion", async () => {
    const anything = defineVerifier({
      name: "anything",
      summary: "Accepts everything.",
      config: z.strictObject({}),
      verify: () => ({ correct: true, answer: undefined }),
    });
    const dataset = {
      ...datasetSchema.parse({ type: "jsonl", path: "rows.jsonl" }),
      verifier: { type: "anything" },
    };
    const text = JSON.stringify({ prompt: "?", answer: "1" });
    const files = filesInMemory([
      dataFile("rows.jsonl", new TextEncoder().encode(`${text}\n${text}`)),
    ]);
    const own = { tasks: [], verifiers: [anything] };
    await expect(prepareData(dataset as never, { tokenizer, random, files, own })).rejects.toThrow(
      /"anything" accepts a completion without a word in it/,
    );
  });

  test("one that does not exist", () => {
    const config = { type: "jsonl", path: "x", verifier: { type: "aftermarker" } };
    expect(() => parseConfig(datasetSchema, config, "run.json")).toThrow(
      /verifier\.type is "aftermarker"\. .*after-marker/,
    );
  });
});

test("a character tokenizer takes further characters and those of several datasets", async () => {
  const chain = (wording: string, changes: object = {}) =>
    datasetSchema.parse({ type: "task", task: { type: "chain", wording }, ...changes });
  const files = filesInMemory([]);
  const one = await characterTokenizerFor(chain("symbols"), files);
  const more = await characterTokenizerFor(
    [chain("symbols"), chain("sentences", { prefix: "b=8 §" })],
    files,
    { characters: "¤§" },
  );
  expect(more.decode(more.encode("Ann ¤§"))).toBe("Ann ¤§");
  // What was there keeps its ids.
  expect(more.encode("a=1+b")).toEqual(one.encode("a=1+b"));
});
