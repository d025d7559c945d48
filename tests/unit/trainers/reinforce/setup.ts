import {
  additionTask,
  characterTokenizer,
  type Problem,
  taskSource,
  type TrainingProblems,
} from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { AdamW, defaultSchedule } from "../../../../src/optim/index.js";
import {
  defineSampler,
  exactReward,
  noCost,
  plainSampler,
  rewardTerm,
  type SampledRow,
  type SamplerDefinition,
} from "../../../../src/rollouts/index.js";
import { Random } from "../../../../src/tensors/index.js";
import {
  type ChosenSampler,
  reinforce,
  type ReinforceOptions,
  type StepMetrics,
} from "../../../../src/trainers/index.js";
import { z } from "zod";

export const tokenizer = characterTokenizer({ alphabet: "0123456789+=,:~" });
const options = additionTask.config.parse({ maxDigits: 1, style: "direct" });
export const source = taskSource({ type: "addition", ...options });
export const problems: TrainingProblems = {
  source,
  problems: (step, count) =>
    Array.from({ length: count }, (_, i) =>
      source.problem("train", step * count + i, new Random(5)),
    ),
};

export function tinyModel(seed: number) {
  const config = { family: "llama", vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1 };
  const more = { numHeads: 2, maxPositions: 24, intermediateSize: 8, initializerRange: 0.4 };
  return initializeDecoder(modelConfigSchema.parse({ ...config, ...more }), new Random(seed));
}

export function plain(samplesPerProblem: number): ChosenSampler {
  return {
    definition: plainSampler as unknown as SamplerDefinition,
    config: { samplesPerProblem },
  };
}

/** A sampler that gives the rows it is told to, whatever the model would write. */
export function given(
  rowsOf: (problem: Problem, i: number) => readonly SampledRow[],
): ChosenSampler {
  const definition = defineSampler({
    name: "given",
    summary: "",
    needs: [],
    config: z.strictObject({}),
    sample: (asked) =>
      Promise.resolve({ rows: asked.flatMap((problem, i) => rowsOf(problem, i)), cost: noCost }),
  });
  return { definition: definition as unknown as SamplerDefinition, config: {} };
}

/** A completion with an end, of which the student wrote the first `numOwn` tokens. */
export function written(
  problem: Problem,
  index: number,
  completion: string,
  numOwn: number,
  tokenLogProbs?: readonly number[],
): SampledRow {
  const completionIds = [...tokenizer.encode(completion), ...tokenizer.endIds];
  const own = completionIds.map((_, t) => (t < numOwn ? 1 : 0));
  return {
    problem: index,
    promptIds: tokenizer.encode(problem.prompt),
    ...{ completionIds, own, finished: true },
    tokenLogProbs: tokenLogProbs ?? own.map((value) => (value === 1 ? -2 : 0)),
    source: numOwn === 0 ? "teacher" : "student",
  };
}

/** Trains a tiny student; gives the metrics and the weights after it. */
export async function train(options: Partial<ReinforceOptions> = {}) {
  using student = tinyModel(1);
  using optimizer = new AdamW(student.trainableParameters());
  const metrics: StepMetrics[] = [];
  for await (const step of reinforce({
    ...{ student, problems, tokenizer, optimizer, random: new Random(3) },
    rewards: [rewardTerm(exactReward, {})],
    sampler: plain(4),
    steps: 2,
    batchSize: 4,
    maxNewTokens: 3,
    schedule: { ...defaultSchedule, learningRate: 0.01, warmupSteps: 0 },
    ...options,
  })) {
    metrics.push(step);
  }
  const weights = [...student.parameters.values()].flatMap((p) => [...p.dataSync()]);
  return { metrics, weights };
}
