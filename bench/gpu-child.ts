/**
 * Counts what a student of four layers asks of the GPU: `tsx bench/gpu-child.ts [tiny]`, in an environment where a GPU is
 * found. Prints a line of JSON ({@link GpuReport}). The counts are those of the small student at any size; a tiny one
 * spares a GPU in software the arithmetic.
 */
import * as pupil from "../src/index.js";
import { nodePlatform } from "../src/node/platform.js";
import { type GpuCounts, meterGpu } from "./gpu-meter.js";
import { generation, modelOptions, scenarios } from "./scenarios.js";

export interface GpuReport {
  readonly device: string;
  /** By step. */
  readonly offPolicy: readonly GpuCounts[];
  readonly onPolicy: readonly GpuCounts[];
  /** Of two generations, the second with everything compiled. */
  readonly generations: readonly GpuCounts[];
}

const isTiny = process.argv[2] === "tiny";
const tiny = { sequenceLength: 8, batchSize: 2, vocabSize: 24 };
const { sequenceLength, batchSize, vocabSize } = isTiny ? tiny : scenarios.small;
const { rows, promptLength, newTokens } = isTiny
  ? { rows: 2, promptLength: 3, newTokens: 16 }
  : generation;
const sizes = isTiny ? { hiddenSize: 16, intermediateSize: 24, vocabSize, numHeads: 2 } : {};

const { device } = await pupil.startBackend("webgpu", {
  ...{ platform: nodePlatform, allowSoftwareAdapter: true },
});
const meter = meterGpu();
const config = pupil.modelConfigSchema.parse({ ...modelOptions("small"), ...sizes });
const random = new pupil.Random(4);
const student = pupil.initializeDecoder(config, random.stream("student"));
const teacherModel = pupil.initializeDecoder(config, random.stream("teacher"));
const teacher = pupil.modelTeacher(teacherModel);
const loss = [pupil.lossTerm(pupil.reverseKlLoss, {})];
const ids = (row: number, length: number) =>
  Array.from({ length }, (_, t) => (31 * row + 7 * t) % vocabSize);
const data = {
  rows: (step: number, count: number) =>
    Array.from({ length: count }, (_, row) => ({
      ...{ ids: ids(row + count * step, sequenceLength + 1), completionStart: promptLength },
    })),
  promptOf: (row: { readonly ids: readonly number[] }) => row.ids.slice(0, promptLength),
};

async function train(onPolicyFraction: number, steps: number): Promise<GpuCounts[]> {
  using optimizer = new pupil.AdamW(student.parameters);
  const counts: GpuCounts[] = [];
  meter.take();
  for await (const _ of pupil.distill({
    ...{ student, teacher, optimizer, loss, random, data, steps, onPolicyFraction, batchSize },
    ...{ tokenizer: { endIds: [], padId: 0 }, maxNewTokens: newTokens, maxGradNorm: 1 },
  })) {
    counts.push(meter.take());
  }
  return counts;
}

async function generate(): Promise<GpuCounts> {
  meter.take();
  await pupil.sampleRollouts({
    ...{
      model: student,
      prompts: Array.from({ length: rows }, (_, row) => ids(row, promptLength)),
    },
    ...{
      endIds: [],
      padId: 0,
      maxNewTokens: newTokens,
      random,
      policy: pupil.samplingPolicySchema.parse({}),
    },
  });
  return meter.take();
}

const report: GpuReport = {
  device,
  offPolicy: await train(0, 5),
  generations: [await generate(), await generate()],
  onPolicy: await train(1, 4),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
for (const owner of [student, teacherModel]) owner.dispose();
