import { parseConfig } from "../errors/index.js";
import type { Tokenizer, TrainingProblems } from "../data/index.js";
import { type LossState, lossTerm, policyGradientLoss } from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import { type AdamW, completeSchedule, learningRateAt, type Schedule } from "../optim/index.js";
import {
  addCosts,
  type AdvantageOptions,
  advantageSchema,
  noCost,
  ownDistribution,
  plainSampler,
  type RewardCombination,
  type RewardTerm,
  type SamplerDefinition,
  type SamplingPolicy,
} from "../rollouts/index.js";
import type { Teacher } from "../teachers/index.js";
import type { Random } from "../tensors/index.js";
import { requireParts } from "./checks/trainer-parts.js";
import { checkReinforce } from "./reinforce/check-reinforce.js";
import { watchIdleRollouts } from "./reinforce/idle-rollouts.js";
import { makeRollouts, type RolloutBatch } from "./reinforce/rollout-batch.js";
import { reinforceBatches, scoreReinforced } from "./reinforce/scored-rows.js";
import { trackLossStates } from "./step/loss-states.js";
import { commonMetrics, type StepMetrics } from "./step/metrics.js";
import { evenParts, fewestPositions } from "./step/micro-batches.js";
import { applyGradients, computeGradients } from "./step/step.js";
import { stepCost } from "./step/step-cost.js";
import type { StepTerm } from "./step/step-term.js";

/** A sampler with its options, settled. */
export interface ChosenSampler {
  readonly definition: SamplerDefinition;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface ReinforceOptions {
  readonly student: LanguageModel;
  /** For advantages, terms and rewards that ask one. */
  readonly teacher?: Teacher;
  /** Writes where a sampler has a teacher write. */
  readonly writer?: LanguageModel;
  /** Frozen, for terms that are held against it; how far the student is from it is logged. */
  readonly reference?: Teacher;
  readonly problems: TrainingProblems;
  readonly tokenizer: Tokenizer;
  readonly optimizer: AdamW;
  /** What completions are worth. Empty: only what a teacher thinks of them. */
  readonly rewards: readonly RewardTerm[];
  /** How rewards are put together. Default: sum. */
  readonly combine?: RewardCombination;
  /** Default: that of GRPO. */
  readonly advantage?: Partial<AdvantageOptions>;
  /** Default: policy-gradient. */
  readonly loss?: readonly StepTerm[];
  /** Default: plain, 8 completions of each problem. */
  readonly sampler?: ChosenSampler;
  /** Default: the student's own distribution. */
  readonly sampling?: SamplingPolicy;
  /** Default: 64. */
  readonly maxNewTokens?: number;
  readonly steps: number;
  readonly random: Random;
  /** Problems per batch of rollouts. Default: 16. */
  readonly batchSize?: number;
  /** Optimizer steps that are made of one batch of rollouts. Default: 1. */
  readonly updatesPerRollout?: number;
  /** Parts of a batch of rollouts, of which each update has one. Default: 1. */
  readonly minibatches?: number;
  /** Fields that are left out have their defaults. */
  readonly schedule?: Partial<Schedule>;
  /** Steps already done, when a run is resumed: a multiple of `updatesPerRollout`. */
  readonly startStep?: number;
  /** Of the last step's metrics, when a run is resumed. */
  readonly lossStates?: Readonly<Record<string, LossState>>;
  readonly gradientAccumulationSteps?: number;
  readonly packing?: boolean;
  readonly maxGradNorm?: number;
}

/**
 * Reinforcement learning from verifiable rewards: completions of problems are sampled and valued,
 * those that are worth more than others of their problem become likelier, by a clipped policy
 * gradient (GRPO and its kin). A teacher may shift the advantages, and terms may compare with it or
 * with a frozen reference on the same tokens.
 *
 * A batch of rollouts is a function of its number, the seed and the student at its beginning, so that
 * a run continues exactly from where one ended: `isMidRollout` marks the steps after which it could
 * not. Tokens that the student did not write (injected, guided) have no old policy: they are left to
 * guided-policy-gradient, cross-entropy and divergences from logits.
 *
 * @throws PupilError for what cannot work, before anything is sampled; and after
 *   100 batches of rollouts if none had anything to learn
 */
export async function* reinforce(options: ReinforceOptions): AsyncGenerator<StepMetrics> {
  requireParts("reinforce", options, ["student", "problems", "optimizer", "tokenizer", "random"]);
  const { student, teacher, writer, reference, problems, optimizer, rewards } = options;
  const { steps, tokenizer, random, combine = "sum" } = options;
  const { loss = [lossTerm(policyGradientLoss, {})], startStep = 0, batchSize = 16 } = options;
  const { updatesPerRollout = 1, minibatches = 1, gradientAccumulationSteps = 1 } = options;
  const { sampling = ownDistribution, maxNewTokens = 64, packing = false, maxGradNorm } = options;
  const { definition } = options.sampler ?? usualSampler;
  const sampler = {
    definition,
    config: parseConfig(definition.config, options.sampler?.config ?? {}, "reinforce: sampler"),
  };
  const advantage = parseConfig(advantageSchema, options.advantage ?? {}, "reinforce: advantage");
  const schedule = completeSchedule(options.schedule);
  const { source } = problems;
  const signals = checkReinforce({
    studentVocabSize: student.config.vocabSize,
    ...{ teacher, writer, reference, source, loss, rewards, combine, advantage, packing },
    ...{ steps, startStep, updatesPerRollout, minibatches, gradientAccumulationSteps },
    ...{ sampler: sampler.definition, samplerConfig: sampler.config },
  });
  const readers = [teacher?.maxPositions, reference?.maxPositions].filter((n) => n !== undefined);
  const setup = {
    ...{ student, teacher, source, tokenizer, maxNewTokens, rewards, combine, advantage },
    sample: (asked: Parameters<SamplerDefinition["sample"]>[0], stream: Random) =>
      sampler.definition.sample(asked, sampler.config, {
        ...{ problems: source, tokenizer, student, maxNewTokens, policy: sampling },
        ...(writer && { teacher: writer }),
        ...(readers.length > 0 && { maxPositions: Math.min(...readers) }),
        random: stream,
      }),
  };
  const lossStates = trackLossStates(loss, steps, options.lossStates);
  const endIfIdle = watchIdleRollouts();
  let rollouts: RolloutBatch | undefined;

  for (let step = startStep; step < steps; step++) {
    const startMs = performance.now();
    const context = lossStates.contextOf(step);
    const update = step % updatesPerRollout;
    if (update === 0) {
      const number = step / updatesPerRollout;
      const asked = await problems.problems(number, batchSize);
      rollouts = await makeRollouts(
        setup,
        asked,
        random.stream("rollout", number),
        context.progress,
      );
    }
    const { rows, metrics, cost } = rollouts as RolloutBatch;
    const part = evenParts(rows, minibatches, "completions")[update % minibatches]?.own ?? [];

    using batches = reinforceBatches(part, {
      ...{ teacher, parts: gradientAccumulationSteps, padId: tokenizer.padId, packing },
      mostPositions: fewestPositions(student, teacher, reference),
    });
    using scored = await scoreReinforced(batches, part, {
      ...{ teacher, reference, signals, random: random.stream("teacher", step) },
    });
    using gradients = await computeGradients(student, loss, scored.parts, context);
    const learningRate = learningRateAt(step, steps, schedule);
    applyGradients(optimizer, gradients, learningRate, maxGradNorm);
    lossStates.advance(step, gradients.means);
    teacher?.afterStep?.();

    const done: StepMetrics = {
      step: step + 1,
      ...commonMetrics(gradients, batches),
      learningRate,
      ...metrics,
      cost: addCosts(update === 0 ? cost : noCost, stepCost(scored.parts)),
      ...(update < updatesPerRollout - 1 ? { isMidRollout: true } : {}),
      ...lossStates.metrics(),
      elapsedMs: performance.now() - startMs,
    };
    yield done;
    // After the step was told, so that it is logged and its state can be saved.
    endIfIdle(done);
  }
}

const usualSampler: ChosenSampler = {
  definition: plainSampler as unknown as SamplerDefinition,
  config: {},
};
