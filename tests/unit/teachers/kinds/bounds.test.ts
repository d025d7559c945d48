/** The least and the most that each option of a teacher takes, and what it is when nobody sets it. */
import { expect, test } from "vitest";
import { z } from "zod";
import { defineTeacher, teacherSchema, teacherSchemaWith } from "../../../../src/teachers/index.js";

const needed: Record<string, object> = {
  model: { from: "t" },
  self: {},
  onnx: { from: "t" },
  recorded: { from: "t" },
  "n-gram": { path: "t.txt" },
  "hidden-markov": {},
  bimodal: { offsets: [1, 4] },
  http: { server: "vllm", url: "http://localhost", tokenizer: "t" },
  mixture: { teachers: [{ type: "hidden-markov" }] },
};

const takes = (type: string, options: object) =>
  teacherSchema.safeParse({ type, ...needed[type], ...options }).success;

const distribution: [string, unknown[], unknown[]][] = [
  ["topK", [1], [0, 1.5]],
  ["samples", [1], [0, 1.5]],
  ["sampleTemperature", [0.01], [0, -1]],
];
const withDistribution = Object.keys(needed).filter(
  (type) => type !== "http" && type !== "recorded",
);

test.each<[type: string, option: string, right: unknown[], wrong: unknown[]]>([
  ...withDistribution.flatMap((type) =>
    distribution.map(([option, right, wrong]) => [type, option, right, wrong] as never),
  ),
  ["recorded", "topK", [1], [0]],
  ["recorded", "samples", [1], [0]],
  ["recorded", "sampleTemperature", [], [1]],
  ["http", "topK", [1], [0, 1.5]],
  ["http", "samples", [], [1]],
  ["http", "timeoutSeconds", [0.1], [0]],
  ["http", "retries", [0], [-1, 0.5]],
  ["http", "retryDelaySeconds", [0, 0.5], [-0.1]],
  ["http", "concurrency", [1], [0]],
  ["http", "maxPositions", [2], [1]],
  ["http", "sendAs", ["ids", "text"], ["bytes"]],
  ["http", "server", ["vllm", "sglang", "llama.cpp", "openai"], ["other"]],
  ["hidden-markov", "states", [1], [0]],
  ["hidden-markov", "seed", [0], [-1]],
  ["hidden-markov", "transitionSharpness", [0], [-0.1]],
  ["hidden-markov", "emissionSharpness", [0], [-0.1]],
  ["n-gram", "path", ["x"], [""]],
  ["n-gram", "separator", ["x"], [""]],
  ["n-gram", "order", [1], [0]],
  ["n-gram", "smoothing", [{ type: "add-k", k: 0.01 }], [{ type: "add-k", k: 0 }]],
  [
    ...(["n-gram", "smoothing", [{ type: "interpolated", lambda: 0.99 }]] as const),
    [0, 1].map((lambda) => ({ type: "interpolated", lambda })),
  ],
  ["bimodal", "weight", [0.01, 0.99], [0, 1]],
  ["bimodal", "width", [0.01], [0]],
  ["bimodal", "offsets", [[-1, 2]], [[1], [1, 2, 3], [0.5, 1]]],
  ["onnx", "file", ["a.onnx"], ["a.onnx.bin", "onnx"]],
  ["onnx", "device", ["cpu", "webgpu"], ["cuda"]],
  ["onnx", "dtype", ["fp32", "q4f16"], ["fp8"]],
  ["self", "emaDecay", [0, 0.999, 1], [-0.1, 1.1]],
  ["self", "adapter", ["none"], ["other"]],
  ["mixture", "mode", ["probabilities", "route"], ["other"]],
  ["mixture", "teachers", [[{ type: "hidden-markov", weight: 0.1 }]], [[], [{ type: "self" }]]],
  ["mixture", "teachers", [], [[{ type: "hidden-markov", weight: 0 }]]],
] as never)("%s: %s", (type, option, right, wrong) => {
  expect(takes(type, {})).toBe(true);
  for (const value of right) expect(takes(type, { [option]: value }), String(value)).toBe(true);
  for (const value of wrong) expect(takes(type, { [option]: value }), String(value)).toBe(false);
});

test("options of no kind are refused everywhere", () => {
  for (const type of Object.keys(needed)) expect(takes(type, { other: 1 }), type).toBe(false);
});

test("defaults", () => {
  const parsed = (type: string) => teacherSchema.parse({ type, ...needed[type] });
  expect(parsed("http")).toEqual({
    ...{ type: "http", ...needed["http"], topK: 20, timeoutSeconds: 60, retries: 5 },
    ...{ retryDelaySeconds: 0.5, concurrency: 8, sendAs: "ids" },
  });
  expect(parsed("onnx")).toEqual({ type: "onnx", from: "t", device: "cpu" });
  expect(teacherSchema.parse({ from: "t" })).toEqual({ from: "t" });
  expect(parsed("self")).toEqual({ type: "self" });
});

test("kinds of the user's own stand beside the others, alone and among several", () => {
  const mine = defineTeacher({
    ...{ name: "mine", summary: "Mine.", config: z.strictObject({ level: z.int().default(3) }) },
    connect: () => {
      throw new Error("not here");
    },
  });
  expect(teacherSchemaWith([])).toBe(teacherSchema);
  const schema = teacherSchemaWith([mine]);
  expect(schema.parse({ type: "mine" })).toEqual({ type: "mine", level: 3 });
  expect(schema.parse({ type: "self" })).toEqual({ type: "self" });
  const teachers = [{ type: "mine", weight: 2 }, { type: "hidden-markov" }];
  expect(schema.parse({ type: "mixture", teachers })).toMatchObject({
    teachers: [
      { type: "mine", level: 3, weight: 2 },
      { type: "hidden-markov", states: 8 },
    ],
  });
  expect(schema.safeParse({ type: "mine", other: 1 }).success).toBe(false);
  expect(teacherSchema.safeParse({ type: "mine" }).success).toBe(false);
});
