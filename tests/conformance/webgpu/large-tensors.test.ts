/** Whole runs, and tfjs's own ops, where the tensors are larger than what a shader may bind at a time. */
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { characterTokenizer } from "../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { saveModelFolder } from "../../../src/node/index.js";
import type { GpuTensors } from "../../../src/ops/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { expectNear, runKinds } from "../../setup/runs/run-kinds.js";
import { metricsOf, runToEnd, tinyRun } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { additionAlphabet } from "../../setup/models/tiny-teacher.js";
import {
  hasLavapipe,
  hasVulkan,
  onLavapipe,
  onWebGpu,
  useWebGpu,
} from "../../setup/backends/webgpu.js";
import { describeOpsOn } from "../ops/describe-ops.js";
import { normals } from "../ops/cases/op-case.js";

const most = 20 * 2 ** 10;
/** Tables and the weights of an MLP are larger than that, and so are logits and what is saved of a batch. */
const sizes = { hiddenSize: 48, numLayers: 1, numHeads: 2, vocabSize: 150 };

const backend = () => tf.backend() as unknown as { -readonly [K in "mostBytes"]: GpuTensors[K] };

/** With at most that many bytes bound at a time. */
async function within<T>(bytes: number, run: () => Promise<T>): Promise<T> {
  const { mostBytes } = backend();
  backend().mostBytes = bytes;
  try {
    return await run();
  } finally {
    backend().mostBytes = mostBytes;
  }
}

async function saveTeacher(folder: string): Promise<string> {
  const config = { family: "llama", ...sizes, maxPositions: 32, initializerRange: 0.3 };
  const model = initializeDecoder(modelConfigSchema.parse(config), new Random(9));
  const tokenizer = characterTokenizer({ alphabet: additionAlphabet });
  await saveModelFolder(join(folder, "teacher"), model, tokenizer);
  model.dispose();
  return join(folder, "teacher");
}

interface Changes {
  readonly student?: { readonly from?: string; readonly architecture?: object };
}

/** The run of a kind with those sizes. */
async function largeRun(kind: string, folder: string): Promise<Changes> {
  await useCpu();
  const from = await saveTeacher(folder);
  const own: Changes = await (runKinds[kind] as (typeof runKinds)[string])(from, folder);
  if (own.student?.from !== undefined) return own;
  const architecture = { family: "llama", ...own.student?.architecture, ...sizes };
  return { ...own, student: { architecture } };
}

const of = (shape: number[], name: string) =>
  tf.tensor(Float32Array.from(normals(shape, name).data), shape);

/** Each with a tensor of 25 KiB or more. */
const ops: Record<string, () => tf.Tensor> = {
  parts: () => tf.split(of([20, 40, 8], "a"), [5, 30, 5], 1)[1] as tf.Tensor,
  slice: () => of([8, 20, 40], "a").slice([2, 0, 3], [5, -1, 30]),
  "lines with columns": () =>
    of([80, 1], "a")
      .mul(of([1, 80], "b"))
      .add(of([80, 80], "c")),
  fill: () => tf.fill([80, 80], 1.5),
  "sum with a line": () => of([80, 80], "a").add(of([80], "b")),
  "product by lines": () => of([80, 80], "a").mul(of([80, 1], "b")),
  "difference from a number": () => tf.sub(2, of([80, 80], "a")),
  "sum of all": () => of([80, 80], "a").sum(),
  "sum over an axis between": () => of([8, 20, 40], "a").sum(1, true),
  "lines of a table": () =>
    tf.gather(of([80, 80], "a"), tf.tensor2d([[3, 79, 0, 3]], undefined, "int32")),
  "product of matrices": () =>
    tf.matMul(of([80, 80], "a") as tf.Tensor2D, of([70, 80], "b") as tf.Tensor2D, false, true),
};

describe.skipIf(!hasVulkan)(`tensors larger than a binding, ${onWebGpu}`, () => {
  afterEach(useCpu);
  afterAll(useCpu);

  test.each(Object.entries(ops))("tfjs's %s", async (_, op) => {
    await useWebGpu();
    const values = async () => {
      const made = tf.tidy(op);
      const found = Array.from(await made.data());
      made.dispose();
      return found;
    };
    const whole = await values();
    const found = await within(most, values);
    expect(found).toHaveLength(whole.length);
    for (const [i, value] of whole.entries()) expect(found[i]).toBeCloseTo(value, 4);
  });
});

describe.skipIf(!hasLavapipe)(`much of a run larger than a binding, ${onLavapipe}`, () => {
  afterEach(useCpu);

  test.each(["sft", "sft of GPT-2", "distill", "rank"])(
    "a run of %s is the one with tensors bound as a whole",
    async (kind) => {
      const folder = temporaryFolder();
      const changes = await largeRun(kind, folder);
      await useWebGpu();
      const whole = tinyRun(join(folder, "whole"), changes);
      await runToEnd(whole);
      const limited = tinyRun(join(folder, "limited"), changes);
      await within(most, () => runToEnd(limited));
      expectNear(metricsOf(limited), metricsOf(whole), kind);
    },
  );
});

// Composed, a masked sum is of tfjs's ops that are not among those.
describe.skipIf(!hasLavapipe)(`every op with bindings of 2 KiB, ${onLavapipe}`, () => {
  const start = async () => {
    await useWebGpu();
    backend().mostBytes = 2 ** 11;
  };
  describeOpsOn("WebGPU", start, { composed: 4, without: ["maskedSum"] });
});
