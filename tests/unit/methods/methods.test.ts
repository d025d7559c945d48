import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  describeFields,
  findComponents,
  type Stage,
  stageReferences,
} from "../../../src/config/index.js";
import {
  additionProblems,
  baseSettings,
  findMethod,
  isTask,
  methodComponents,
  methodDefinitions,
  shrink,
  trainStage,
  withTask,
} from "../../../src/methods/index.js";
import { planMethod } from "../../../src/node/index.js";
import { z } from "zod";

const source = fileURLToPath(new URL("../../../src/methods/", import.meta.url));
const rooms = readdirSync(source, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "blocks")
  .map(({ name }) => name);

describe.each(methodDefinitions.map((method) => [method.name, method] as const))(
  "the method %s",
  (name, method) => {
    test("is a file of its name, short, that computes nothing", () => {
      const [room] = rooms.filter((folder) => existsSync(`${source}${folder}/${name}.ts`));
      const text = readFileSync(`${source}${room}/${name}.ts`, "utf8");
      expect(text.split("\n").length).toBeLessThanOrEqual(120);
      expect(text).not.toMatch(/from "(@tensorflow|\.\.\/tensors)/);
    });

    test("says of every setting what it is, and gives it a default", () => {
      expect(method.settings.safeParse({}).success).toBe(true);
      for (const [key, field] of Object.entries(method.settings.shape)) {
        expect((field as z.ZodType).description, key).toMatch(/\w+.*\.$/);
      }
      expect(method.claim).toMatch(/\.$/);
      if (method.fidelity === "proxy") expect(method.note).toBeDefined();
    });

    test("plans stages that are found right before anything runs", async () => {
      const plan = await planMethod(method, [], { seeds: 2, folder: "f" });
      expect(plan.arms.length).toBeGreaterThanOrEqual(2);
      expect(plan.rule).toMatch(/^Supported if /);
      // What arms have in common is made once.
      const uses = plan.cells.flatMap(({ chain }) => chain).length;
      expect(plan.stages.length).toBeLessThanOrEqual(uses);
    });
  },
);

test("every file of a method is in the list", () => {
  const files = rooms.flatMap((room) => readdirSync(`${source}${room}`));
  const names = methodDefinitions.map(({ name }) => `${name}.ts`);
  expect(files.sort()).toEqual([...names].sort());
});

describe("settings of problems", () => {
  const schema = z.strictObject(
    baseSettings({ problems: additionProblems(3, { style: "direct" }) }),
  );
  const settings = schema.parse({});

  test("are a whole dataset, of which a task can be changed", () => {
    expect(settings.problems).toMatchObject({
      type: "task",
      task: { maxDigits: 3, style: "direct" },
    });
    const longer = withTask(settings.problems, { maxDigits: 5 });
    expect(longer).toMatchObject({ task: { minDigits: 3, maxDigits: 5, style: "direct" } });
    const file = schema.parse({ problems: { type: "file", path: "a.jsonl" } }).problems;
    expect(isTask(file)).toBe(false);
    expect(withTask(file, { maxDigits: 5 })).toBe(file);
  });

  test("go into every stage that trains, unless it says otherwise", () => {
    const student = { from: "stage:sft" };
    const trainer = { type: "sft", steps: 5 } as const;
    const stage = trainStage("a", settings, { student, trainer, evaluation: { rows: 7 } });
    expect(stage.run).toMatchObject({
      data: settings.problems,
      trainer: { steps: 5, batchSize: 16 },
      evaluation: { every: 100, rows: 7 },
    });
  });
});

test("a stage shrinks to what shows its wiring: sizes go, what it is about stays", () => {
  const run: Stage = {
    name: "a",
    once: true,
    run: {
      student: {
        architecture: {
          family: "llama",
          hiddenSize: 512,
          numLayers: 9,
          numHeads: 8,
          numKeyValueHeads: 4,
        },
      },
      data: { type: "file", path: "stage:rows" },
      trainer: { type: "sft", steps: 900, warmupSteps: 100, loss: [{ type: "cross-entropy" }] },
      evaluation: { every: 50, rows: 1000 },
    },
  };
  const small = shrink(run);
  expect(small).toMatchObject({
    once: true,
    run: {
      student: { architecture: { family: "llama", hiddenSize: 16, numLayers: 1 } },
      trainer: { type: "sft", steps: 2, batchSize: 2, warmupSteps: 0 },
      evaluation: { every: 0, rows: 2 },
    },
  });
  expect(small.run?.student.architecture).not.toHaveProperty("numKeyValueHeads");
  const architecture = {
    family: "qwen2" as const,
    ...{ hiddenSize: 64, numLayers: 3, numHeads: 4, slidingWindow: 8 },
    layerTypes: [
      "sliding_attention" as const,
      "full_attention" as const,
      "full_attention" as const,
    ],
  };
  const windowed = shrink({ ...run, run: { ...run.run!, student: { architecture } } });
  expect(windowed.run?.student.architecture?.layerTypes).toEqual(["sliding_attention"]);
  expect(small.run?.trainer.loss).toEqual([{ type: "cross-entropy" }]);
  expect(stageReferences(small.run)).toEqual(stageReferences(run.run));
  expect(shrink({ name: "b", collect: { count: 500, sampler: {} } }).collect).toEqual({
    ...{ count: 4, sampler: {} },
  });
});

test("a method is found by its name, and described with its claim and settings", () => {
  expect(findMethod("redi", methodDefinitions).number).toBe(43);
  expect(() => findMethod("rediii", methodDefinitions)).toThrow(
    /there is no method "rediii"\. Did you mean "redi"/,
  );
  const [found] = findComponents(["method", "redi"], methodComponents(methodDefinitions));
  expect(found?.details.join("\n")).toMatch(/number 43\)\nclaim: After SFT/);
  const fields = describeFields(found?.schema as z.ZodType).map(({ path }) => path);
  expect(fields).toContain("alpha");
});
