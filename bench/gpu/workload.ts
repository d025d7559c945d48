import * as pupil from "../../src/index.js";
import { type GpuMeter, meterGpu } from "./meter.js";
import { gpuSizes, type GpuSizeName, type GpuStep } from "./report.js";

export interface TrainOptions {
  readonly onPolicyFraction: number;
  readonly steps: number;
  /** Prompts of several lengths, and completions that end where they do: steps of several lengths. Default: false. */
  readonly isRagged?: boolean;
}

/** A student, its teacher and a meter; to be made once WebGPU has started. */
export interface GpuTraining extends Disposable {
  /** Counts of each of some steps, of a new optimizer. */
  train(options: TrainOptions): Promise<GpuStep[]>;
  /** Tokens after every prompt of the batch. */
  generate(tokens: number): Promise<GpuStep>;
  dispose(): void;
}

export function makeTraining(size: GpuSizeName, meter: GpuMeter = meterGpu()): GpuTraining {
  const { model, sequenceLength, batchSize, promptLength, newTokens } = gpuSizes[size];
  const { vocabSize } = model;
  const config = pupil.modelConfigSchema.parse(model);
  const random = new pupil.Random(4);
  const student = pupil.initializeDecoder(config, random.stream("student"));
  const teacherModel = pupil.initializeDecoder(config, random.stream("teacher"));
  const ofModel = pupil.modelTeacher(teacherModel);
  let length = 0;
  const teacher: pupil.Teacher = {
    ...ofModel,
    score(batch, ...asked) {
      length = batch.sequenceLength;
      return ofModel.score(batch, ...asked);
    },
  };
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
  const raggedData = {
    ...data,
    promptOf: (row: { readonly ids: readonly number[] }) =>
      row.ids.slice(0, 1 + ((row.ids[0] as number) % promptLength)),
  };
  const raggedEnds = Array.from({ length: Math.ceil(vocabSize / 8) }, (_, i) => 1 + 7 * i);
  const begin = () => {
    meter.take();
    meter.takePrograms();
    meter.takeWaitMs();
    return performance.now();
  };
  const count = (startMs: number, tokens: number): GpuStep => {
    const ms = performance.now() - startMs;
    const hostMs = ms - meter.takeWaitMs();
    return { ...meter.take(), ms, hostMs, tokens, length, programs: meter.takePrograms() };
  };
  const dispose = () => {
    for (const owner of [student, teacherModel]) owner.dispose();
  };
  return {
    async train({ onPolicyFraction, steps, isRagged = false }) {
      using optimizer = new pupil.AdamW(student.parameters);
      const counted: GpuStep[] = [];
      let startMs = begin();
      for await (const _ of pupil.distill({
        ...{ student, teacher, optimizer, loss, random, steps, onPolicyFraction, batchSize },
        data: isRagged ? raggedData : data,
        tokenizer: { endIds: isRagged ? raggedEnds : [], padId: 0 },
        ...{ maxNewTokens: newTokens, maxGradNorm: 1 },
      })) {
        const positions = onPolicyFraction === 0 ? sequenceLength : promptLength + newTokens - 1;
        counted.push(count(startMs, batchSize * positions));
        startMs = begin();
      }
      return counted;
    },
    async generate(tokens) {
      const startMs = begin();
      await pupil.sampleRollouts({
        model: student,
        prompts: Array.from({ length: batchSize }, (_, row) => ids(row, promptLength)),
        ...{ endIds: [], padId: 0, maxNewTokens: tokens, random },
        policy: pupil.samplingPolicySchema.parse({}),
      });
      return count(startMs, batchSize * tokens);
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
