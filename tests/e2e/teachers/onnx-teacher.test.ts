import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeBatch, makePackedBatch, type TokenSequence } from "../../../src/data/index.js";
import { loadTeacher } from "../../../src/node/teachers/index.js";
import {
  isTokenSignal,
  type Teacher,
  type TeacherConfig,
  type TokenSignal,
  teacherSchema,
} from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { exportedArchitectures, saveBoth } from "../../setup/models/onnx-models.js";
import { metricsOf, runToEnd, tinyRun } from "../../setup/runs/runs.js";
import { missing, sharedData } from "../../setup/data/shared-data.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { largestDifference } from "../../unit/models/tiny-models.js";

/** The teacher of a config, as a run would load it; the run's parts have no influence on it. */
async function connect(config: object): Promise<Teacher> {
  const loaded = await loadTeacher(teacherSchema.parse(config) as TeacherConfig);
  return loaded.connect({} as Parameters<typeof loaded.connect>[0]);
}

const ragged: TokenSequence[] = [
  { ids: [1, 2, 3, 4, 5, 6, 7], completionStart: 2 },
  { ids: [8, 9], completionStart: 1 },
  { ids: [3, 1, 4, 1], completionStart: 3 },
  { ids: [5], completionStart: 1 },
];

/** What a teacher says about the real tokens of rows: `[row][position]`, whatever stands there. */
async function opinions(teacher: Teacher, needs: readonly TokenSignal[]) {
  using batch = makeBatch(ragged, 0, { padToMultipleOf: 4 });
  const context = { random: new Random(3), firstRow: 0 };
  const scores = await teacher.score(batch, needs, context);
  const tensors = scores.tensors();
  const values = needs.map((need) => {
    const tensor = tensors[need];
    const rows = tensor?.arraySync() as unknown[][];
    tensor?.dispose();
    return rows.map((row, b) => row.slice(0, (ragged[b]?.ids.length ?? 1) - 1));
  });
  return values;
}

/** An ONNX teacher says about ragged rows what the model itself says. */
async function expectAgreement(
  paths: { readonly model: string; readonly onnx: string },
  options: object,
  needs: readonly TokenSignal[],
): Promise<void> {
  using inProcess = await connect({ type: "model", from: paths.model, ...options });
  using onnx = await connect({ type: "onnx", from: paths.onnx, ...options });
  expect(onnx).toMatchObject({ vocabSize: inProcess.vocabSize, maxPositions: 32 });
  expect(onnx.provides).toEqual(inProcess.provides.filter(isTokenSignal));
  const [found, expected] = [await opinions(onnx, needs), await opinions(inProcess, needs)];
  expect(largestDifference(found, expected)).toBeLessThan(1e-4);
}

test.each<[string, object, TokenSignal[]]>([
  ["the likeliest tokens", { topK: 3 }, ["teacherTokenIds", "teacherTopLogProbs"]],
  [
    "draws",
    { samples: 4, sampleTemperature: 2 },
    ["teacherTokenIds", "teacherTopLogProbs", "teacherSampleLogProbs"],
  ],
])("an ONNX teacher gives %s of ragged rows", async (_, options, needs) => {
  await expectAgreement(await saveBoth(temporaryFolder()), options, needs);
});

describe.each(Object.entries(exportedArchitectures))("an ONNX teacher, %s", (_, architecture) => {
  test("gives logits and log-probabilities of ragged rows", async () => {
    const paths = await saveBoth(temporaryFolder(), architecture);
    await expectAgreement(paths, {}, ["teacherTokenLogProbs", "teacherLogits"]);
  });

  test("writes what the model writes in process, greedily and at random", async () => {
    const paths = await saveBoth(temporaryFolder(), architecture);
    using inProcess = await connect({ type: "model", from: paths.model });
    using onnx = await connect({ type: "onnx", from: paths.onnx });
    const prompts = [[1, 2, 3, 4, 5], [6], [7, 8]];
    for (const greedy of [true, false]) {
      const how = {
        ...{ endIds: [9], padId: 9, maxNewTokens: 6, random: new Random(2) },
        policy: { greedy, samplingTemperature: 1.5, topK: 0, topP: 1 },
      };
      const [found, expected] = [
        await onnx.complete?.(prompts, how),
        await inProcess.complete?.(prompts, how),
      ];
      const ids = (rollouts: typeof found) => rollouts?.map(({ completionIds }) => completionIds);
      const logProbs = (rollouts: typeof found) => rollouts?.map((row) => row.tokenLogProbs);
      expect(ids(found)).toEqual(ids(expected));
      expect(largestDifference(logProbs(found), logProbs(expected))).toBeLessThan(1e-4);
    }
  });
});

test("a run with an ONNX teacher has the losses of the run with the model itself", async () => {
  const folder = temporaryFolder();
  const paths = await saveBoth(folder);
  const trainer = {
    type: "distill",
    ...{ steps: 2, batchSize: 4, gradientAccumulationSteps: 2 },
    loss: [{ type: "forward-kl" }],
    maxNewTokens: 4,
  };
  const losses: unknown[][] = [];
  for (const [name, teacher] of Object.entries({
    "in-process": { from: paths.model },
    "in-onnx": { type: "onnx", from: paths.onnx },
  })) {
    const run = tinyRun(folder, { name, teacher, trainer, evaluation: { every: 2, rows: 2 } });
    await runToEnd(run);
    const fields = ["loss", "gradNorm", "heldOut.forwardKl"];
    losses.push(metricsOf(run).map((row) => fields.map((field) => row[field] ?? 0)));
  }
  // The evaluation before, two steps, the evaluation after.
  expect(losses[1]?.length).toBe(4);
  expect(largestDifference(losses[1], losses[0])).toBeLessThan(1e-4);
});

test("sequences that share a row are scored apart, at their places", async () => {
  const paths = await saveBoth(temporaryFolder());
  using inProcess = await connect({ type: "model", from: paths.model });
  using onnx = await connect({ type: "onnx", from: paths.onnx });
  using batch = makePackedBatch(ragged.slice(0, 3), 0, { length: 9 });
  expect(batch.size).toBe(2);
  const logitsOf = async (teacher: Teacher) => {
    const { teacherLogits } = (await teacher.score(batch, ["teacherLogits"])).tensors();
    const values = teacherLogits?.arraySync() as number[][][];
    teacherLogits?.dispose();
    return batch.sequences.map(({ ids, row, start }) =>
      values[row]?.slice(start, start + ids.length - 1),
    );
  };
  const [found, expected] = [await logitsOf(onnx), await logitsOf(inProcess)];
  expect(largestDifference(found, expected)).toBeLessThan(1e-4);
});

interface Reference {
  readonly greedy_published: { readonly input_ids: number[][]; readonly expected: number[][] };
  readonly logits_computed_here: {
    readonly input_ids: number[];
    readonly last_position_logits: number[];
  };
}

const onnxTinyGpt2 = "onnx_tiny_gpt2";
describe.skipIf(missing(onnxTinyGpt2))(
  `an ONNX file by another tool, with int32 inputs and other names (needs ../shared/data/${onnxTinyGpt2})`,
  () => {
    const from = sharedData(onnxTinyGpt2);
    const read = () => JSON.parse(readFileSync(join(from, "reference.json"), "utf8")) as Reference;

    test("gives the published greedy tokens and the recorded logits", async () => {
      const { greedy_published: greedy, logits_computed_here: recorded } = read();
      using teacher = await connect({ type: "onnx", from, file: "past.onnx" });
      expect(teacher.vocabSize).toBe(1000);
      const logitsAfter = async (rows: readonly (readonly number[])[]) => {
        // A row's last id has nothing after it to predict: any id stands there.
        using batch = makeBatch(
          rows.map((ids) => ({ ids: [...ids, 0], completionStart: 1 })),
          0,
        );
        const { teacherLogits } = (await teacher.score(batch, ["teacherLogits"])).tensors();
        const values = teacherLogits?.arraySync() as number[][][];
        teacherLogits?.dispose();
        return values.map((row) => row.at(-1) as number[]);
      };
      const [logits] = await logitsAfter([recorded.input_ids]);
      expect(largestDifference(logits, recorded.last_position_logits)).toBeLessThan(1e-4);
      let rows = greedy.input_ids;
      while ((rows[0]?.length ?? 10) < 10) {
        const next = await logitsAfter(rows);
        rows = rows.map((row, i) => [...row, argMax(next[i] ?? [])]);
      }
      expect(rows).toEqual(greedy.expected);
    });
  },
);

const argMax = (values: readonly number[]) => values.indexOf(Math.max(...values));
