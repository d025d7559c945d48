import { expect, test } from "vitest";
import { z } from "zod";
import {
  familyNames,
  modelConfigSchema,
  modelOptionsSchema,
} from "../../../../src/models/index.js";

const sizes = { vocabSize: 7, hiddenSize: 48, numLayers: 2, numHeads: 6, maxPositions: 12 };

test("a Llama needs six fields; the rest follows from them and the family", () => {
  expect(modelConfigSchema.parse({ ...sizes, family: "llama" })).toEqual({
    ...sizes,
    family: "llama",
    intermediateSize: 128,
    numKeyValueHeads: 6,
    headDim: 8,
    ropeTheta: 10_000,
    ropeScaling: null,
    normEpsilon: 1e-6,
    tieWordEmbeddings: false,
    attentionBias: false,
    mlpBias: false,
    activation: "silu",
    slidingWindow: null,
    layerTypes: null,
    initializerRange: 0.02,
    bosTokenId: null,
    eosTokenIds: [],
    padTokenId: null,
  });
});

test("a GPT-2 has its own defaults", () => {
  expect(modelConfigSchema.parse({ ...sizes, family: "gpt2" })).toMatchObject({
    intermediateSize: 192,
    normEpsilon: 1e-5,
    tieWordEmbeddings: true,
    attentionBias: true,
    mlpBias: true,
    activation: "gelu_new",
  });
});

test("heads of a width of their own need not divide the hidden size, but for a Llama", () => {
  const wide = { ...sizes, numHeads: 5, headDim: 16 };
  for (const family of ["mistral", "qwen2", "qwen3"]) {
    expect(modelConfigSchema.parse({ ...wide, family })).toMatchObject({ headDim: 16 });
  }
  expect(modelConfigSchema.safeParse({ ...wide, family: "llama" }).success).toBe(false);
});

test("a complete configuration is valid and stays as it is", () => {
  for (const family of familyNames) {
    const config = modelConfigSchema.parse({ ...sizes, family });
    expect(modelConfigSchema.parse(config)).toEqual(config);
  }
});

test.each([
  [{ numHeads: 5 }, "numHeads", /5 heads do not divide hiddenSize 48/],
  [{ numKeyValueHeads: 4 }, "numKeyValueHeads", /4 key\/value heads do not divide 6 query heads/],
  [{ headDim: 7 }, "headDim", /even width, got 7/],
  [{ numLayers: 10_001 }, "numLayers", /<=10000/],
  [{ numLayers: 0 }, "numLayers", />=1/],
  [{ vocabSize: 2 ** 24 + 1 }, "vocabSize", /<=16777216/],
  [{ maxPositions: 2 ** 31 }, "maxPositions", /<=2147483647/],
  [
    { hiddenSize: 12, headDim: 2, ropeScaling: { type: "dynamic", factor: 2 } },
    "headDim",
    /Dynamic scaling needs more than 2 per head/,
  ],
  [{ activation: "gelu" }, "activation", /llama family has silu, got gelu/],
  [{ family: "gpt2", numKeyValueHeads: 3 }, "numKeyValueHeads", /one key\/value head per query/],
  [{ family: "gpt2", headDim: 4 }, "headDim", /heads of hiddenSize \/ numHeads = 8, got 4/],
  [{ family: "gpt2", attentionBias: false }, "attentionBias", /always has biases/],
  [{ family: "mistral", attentionBias: true }, "attentionBias", /mistral family never has biases/],
  [{ family: "qwen2", attentionBias: false }, "attentionBias", /qwen2 family always has biases/],
  [{ family: "qwen3", mlpBias: true }, "mlpBias", /never has biases/],
  [{ family: "qwen3", numHeads: 5 }, "numHeads", /5 heads do not divide hiddenSize 48/],
  [
    { family: "gpt2", ropeScaling: { type: "linear", factor: 2 } },
    "ropeScaling",
    /gpt2 family has no rotary positions/,
  ],
  [
    { ropeScaling: { type: "longrope", shortFactor: [1, 1, 1], longFactor: [1, 1, 1, 1] } },
    "ropeScaling",
    /Heads of 8 need 4 factors, got 3/,
  ],
  [
    {
      ropeScaling: { type: "llama3", factor: 8, lowFrequencyFactor: 4, highFrequencyFactor: 1 },
    },
    "ropeScaling",
    /1 must be above lowFrequencyFactor 4/,
  ],
  [{ ropeScaling: { type: "linear", factor: 0.5 } }, "ropeScaling", />=1/],
  [{ family: "gpt2", activation: "silu" }, "activation", /gpt2 family has gelu_new, .*got silu/],
  [{ family: "mamba" }, "family", /llama.*gpt2/],
  [{ vocabSize: 0 }, "vocabSize", /1/],
  [{ hiddenSize: 4.5 }, "hiddenSize", /int/],
  [{ normEpsilon: 0 }, "normEpsilon", />0/],
])("%j is refused at %s", (change, field, message) => {
  const result = modelConfigSchema.safeParse({ ...sizes, family: "llama", ...change });
  const issue = result.error?.issues.find(({ path }) => path[0] === field);
  expect(issue?.message).toMatch(message);
});

test("an unknown field is refused by name", () => {
  const result = modelConfigSchema.safeParse({ ...sizes, family: "llama", hiddensize: 8 });
  expect(result.error?.issues[0]).toMatchObject({
    code: "unrecognized_keys",
    keys: ["hiddensize"],
  });
});

test("every field is described, also in the JSON schema", () => {
  for (const [name, field] of Object.entries(modelOptionsSchema.shape)) {
    expect(field.description, name).toMatch(/\.$/);
  }
  const schema = z.toJSONSchema(modelConfigSchema, { io: "input" });
  expect(schema.required?.toSorted()).toEqual(Object.keys({ ...sizes, family: "" }).toSorted());
});
