import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer, makeBatch, makePackedBatch } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import {
  type HeadValues,
  hiddenStatesTeacher,
  httpStates,
  modelTeacher,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { encodeNumbers, hiddenStatesServer } from "../../../setup/servers/hidden-states-server.js";

const tokenizer = characterTokenizer({ alphabet: "0123456789+=" });
const config = modelConfigSchema.parse({
  ...{ family: "qwen3", vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1 },
  ...{ numHeads: 2, maxPositions: 16, initializerRange: 0.4, tieWordEmbeddings: false },
});
const rows = [
  { ids: [1, 2, 3, 4, 5], completionStart: 2 },
  { ids: [6, 7, 8], completionStart: 1, learned: [0, 0, 1] },
  { ids: [9], completionStart: 0 },
];

function headOf(model: ReturnType<typeof initializeDecoder>): HeadValues {
  const { vocabSize, hiddenSize } = model.config;
  const values = tf.tidy(() => model.headWeight.clone().dataSync<"float32">());
  return { vocabSize, hiddenSize, values: Float32Array.from(values) };
}

async function setUp(dtype: "float32" | "float16" = "float32") {
  const model = initializeDecoder(config, new Random(3));
  const server = await hiddenStatesServer(model, tokenizer);
  const head = headOf(model);
  const options = {
    ...{ url: server.url, head, tokenizer, dtype, random: new Random(1) },
    ...{ timeoutMs: 5000, retries: 0, retryDelayMs: 1, concurrency: 2 },
  };
  return { model, server, head, options, states: httpStates(options) };
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "nothing was thrown",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("hidden states from a server", () => {
  test.each([
    ["float32", false, 1e-6],
    ["float32", true, 1e-6],
    ["float16", false, 5e-3],
  ] as const)("in %s, packed %s, are the model's own distributions to %d", async (...given) => {
    const [dtype, isPacked, tolerance] = given;
    const { model, head, states, server } = await setUp(dtype);
    using own = modelTeacher(model, "own", { topK: 3 });
    using teacher = hiddenStatesTeacher(states, head, { topK: 3 });
    using batch = isPacked ? makePackedBatch(rows, 0) : makeBatch(rows, 0);
    await states.probe();
    const needs = ["teacherLogits", "teacherTokenLogProbs", "teacherTopLogProbs"] as const;
    const [ours, theirs] = [await own.score(batch, needs), await teacher.score(batch, needs)];
    const differences = tf.tidy(() => {
      const [a, b] = [ours.tensors(), theirs.tensors()];
      return needs.map((need) => {
        const difference = (a[need] as tf.Tensor).sub(b[need] as tf.Tensor).abs();
        const mask = batch.completionMask;
        const counted = difference.rank === 3 ? mask.expandDims(2) : mask;
        return difference.mul(counted).max().dataSync()[0] as number;
      });
    });
    for (const difference of differences) expect(difference).toBeLessThan(tolerance);
    if (dtype === "float16") expect(Math.max(...differences)).toBeGreaterThan(1e-6);
    // Only what is learned, and nothing of a row without it.
    expect(server.questions.slice(1).map(({ positions }) => positions)).toEqual([[1, 2, 3], [1]]);
  });

  test("come with their head where nothing but logits is needed", async () => {
    const { model, head, states } = await setUp();
    using batch = makeBatch(rows, 0);
    using teacher = hiddenStatesTeacher(states, head, { topK: 2 });
    expect((await teacher.score(batch, ["teacherLogits"])).hidden).toBeDefined();
    expect((await teacher.score(batch, ["teacherTokenIds"])).hidden).toBeUndefined();
    model.dispose();
  });

  test.each([
    [-2, true],
    [3, false],
  ])("fit a student with %d rows more", async (more, hasHidden) => {
    const { model, head, states } = await setUp();
    const vocabSize = config.vocabSize + more;
    using teacher = hiddenStatesTeacher(states, head, { vocabSize });
    using batch = makeBatch(rows, 0);
    const scores = await teacher.score(batch, ["teacherLogits"]);
    expect(scores.hidden !== undefined).toBe(hasHidden);
    const [shape, gap] = tf.tidy(() => {
      const logits = scores.tensors().teacherLogits as tf.Tensor3D;
      const row = logits.slice([0, 1, 0], [1, 1, -1]).dataSync();
      return [logits.shape, Math.min(...row.slice(0, 12)) - (row.at(-1) as number)] as const;
    });
    expect(shape[2]).toBe(vocabSize);
    if (more > 0) expect(gap).toBeCloseTo(20, 3);
    model.dispose();
  });
});

describe("a wrong answer is refused", () => {
  const D = config.hiddenSize;
  const shifted = ({ states: _states, ...answer }: Record<string, unknown>) => answer;
  test.each<[string, (answer: Record<string, unknown>) => object, RegExp]>([
    ["no states", shifted, /states: expected 3 states of 8 float32 numbers in base64, got nothing/],
    ["no base64", (a) => ({ ...a, states: "%%" }), /got what is no base64/],
    [
      "too few numbers",
      (a) => ({ ...a, states: encodeNumbers(new Array<number>(2 * D).fill(0), "float32") }),
      /3 states of 8 float32 numbers in base64, 96 bytes, got 64 bytes/,
    ],
    [
      "a number that is none",
      (a) => ({
        ...a,
        states: encodeNumbers([...new Array<number>(3 * D - 1).fill(0), NaN], "float32"),
      }),
      /position 2 of those asked for, number 7: expected a finite number, got NaN/,
    ],
    [
      "another width",
      (a) => ({ ...a, hidden_size: 16 }),
      /hidden_size: expected 8, as the head has, got 16\. teacher\.head must be the folder/,
    ],
    [
      "another vocabulary",
      (a) => ({ ...a, vocab_size: 99 }),
      /vocab_size: expected \d+, as the head has, got 99/,
    ],
    [
      "another precision",
      (a) => ({ ...a, dtype: "bfloat16" }),
      /dtype: expected float32, got bfloat16/,
    ],
    [
      "other tokens",
      (a) => ({ ...a, input_ids: [1, 2, 3, 4, 4] }),
      /position 4: expected token 5, got token 4/,
    ],
    [
      "other positions",
      (a) => ({ ...a, positions: [1, 2, 4] }),
      /positions\[2\]: expected 3, got 4/,
    ],
    [
      "fewer tokens",
      (a) => ({ ...a, input_ids: [1] }),
      /input_ids: expected 5 entries, got 1 entries/,
    ],
  ])("%s", async (_name, change, message) => {
    const { model, server, states } = await setUp();
    server.falsify(change);
    const [row] = rows;
    if (row === undefined) throw new Error("There is a row.");
    const error = await errorOf(states.states([{ ...row, id: "train:7" }]));
    expect(error).toMatch(
      /^PupilError: http.*\/v1\/hidden-states: A wrong answer of the hidden-states server about train:7/,
    );
    expect(error).toMatch(message);
    model.dispose();
  });

  test("what float16 cannot hold", async () => {
    const { model, server, states } = await setUp("float16");
    server.falsify((a) => ({
      ...a,
      states: encodeNumbers(new Array<number>(3 * D).fill(1e9), "float16"),
    }));
    expect(await errorOf(states.states(rows))).toMatch(
      /got Infinity\. .*set teacher\.dtype to float32/,
    );
    model.dispose();
  });
});

describe("the first question finds out", () => {
  test("another head of the same size, and states that were not normed", async () => {
    const { model, options } = await setUp();
    const values = options.head.values.slice().reverse();
    const other = httpStates({ ...options, head: { ...options.head, values } });
    expect(await errorOf(other.probe())).toMatch(
      /token_log_probs\[0\]: expected -\d.*which the states and the head of teacher\.head give token \d+, got -\d.*after the final norm/,
    );
    model.dispose();
  });

  test("states of other positions", async () => {
    const { model, server, states } = await setUp();
    server.falsify((answer) => {
      const bytes = Buffer.from(answer["states"] as string, "base64");
      const moved = Buffer.concat([
        bytes.subarray(4 * config.hiddenSize),
        bytes.subarray(0, 4 * config.hiddenSize),
      ]);
      return { ...answer, states: moved.toString("base64") };
    });
    expect(await errorOf(states.probe())).toMatch(/token_log_probs\[0\]: expected/);
    model.dispose();
  });

  test("another tokenizer, and a server that cannot check", async () => {
    const { model, server, states } = await setUp();
    server.falsify((a) => ({ ...a, token_texts: (a["token_texts"] as string[]).map(() => "the") }));
    expect(await errorOf(states.probe())).toMatch(/not the tokenizer of the server's model/);
    server.falsify(({ token_log_probs: _logProbs, ...answer }) => answer);
    expect(await errorOf(states.probe())).toMatch(/token_log_probs: expected a list, got nothing/);
    model.dispose();
  });
});
