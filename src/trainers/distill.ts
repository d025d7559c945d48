import type { Tokenizer, TokenSequence } from "../data/index.js";
import { type LossState, type LossTerm, needsOf } from "../losses/index.js";
import type { LanguageModel } from "../models/index.js";
import { type AdamW, completeSchedule, learningRateAt, type Schedule } from "../optim/index.js";
import {
  addCosts,
  ownDistribution,
  type Rollout,
  rolloutToSequence,
  type SamplingPolicy,
  sampleRollouts,
} from "../rollouts/index.js";
import type { Teacher, TeacherSignal } from "../teachers/index.js";
import type { Random } from "../tensors/index.js";
import { checkLoss } from "./checks/check-loss.js";
import { requireParts } from "./checks/trainer-parts.js";
import type { TrainingData } from "./data-source.js";
import {
  checkReplay,
  replayedFraction,
  replayedRows,
  type TrainingReplay,
  type Write,
  writtenRows,
} from "./distill/written-rows.js";
import { trackLossStates } from "./step/loss-states.js";
import { commonMetrics, type StepMetrics } from "./step/metrics.js";
import type { MicroBatch } from "./step/micro-batch.js";
import { fewestPositions, splitIntoBatches } from "./step/micro-batches.js";
import { scoreBatches } from "./step/score-batches.js";
import { layerSizesOf, requestedLayers, settleLayers } from "./step/layer-terms.js";
import { checkProjections, type Projections } from "./step/projections.js";
import { applyGradients, computeGradients } from "./step/step.js";
import { stepCost, writingCost } from "./step/step-cost.js";

export interface DistillOptions {
  readonly student: LanguageModel;
  readonly teacher: Teacher;
  readonly data: TrainingData;
  readonly optimizer: AdamW;
  readonly loss: readonly LossTerm[];
  readonly steps: number;
  /** Its end ids end a student's completion. */
  readonly tokenizer: Pick<Tokenizer, "endIds" | "padId"> & Partial<Pick<Tokenizer, "decode">>;
  readonly random: Random;
  /** Share of rows whose completion the student samples itself (GKD's λ), 0 to 1. Default: 1. */
  readonly onPolicyFraction?: number;
  /** In place of a share: a buffer of what the student wrote, and a probability that adapts. */
  readonly replay?: TrainingReplay;
  /** Default: the student's own distribution. */
  readonly sampling?: SamplingPolicy;
  /** Default: 64. */
  readonly maxNewTokens?: number;
  /** For losses with advantages: how much later tokens count for earlier ones, γ. Default: 0. */
  readonly advantageDiscount?: number;
  /** Fields that are left out have their defaults. */
  readonly schedule?: Partial<Schedule>;
  /**
   * For losses on hidden states of another width than the teacher's; see `makeProjections`. Trained
   * by the same optimizer, which must have been given their parameters too.
   */
  readonly projections?: Projections;
  /** Steps already done, when a run is resumed. */
  readonly startStep?: number;
  /** Of the last step's metrics, when a run is resumed. */
  readonly lossStates?: Readonly<Record<string, LossState>>;
  /** Rows per optimizer step, over all micro-batches. Default: 16. */
  readonly batchSize?: number;
  readonly gradientAccumulationSteps?: number;
  /**
   * Several rows, the data's and the student's own, side by side in one, without seeing each other.
   * Default: false.
   */
  readonly packing?: boolean;
  readonly maxGradNorm?: number;
}

/**
 * Distillation: the loss compares the student with the teacher, token by token, on rows that the
 * student sampled from the data's prompts (on policy) and on the data's own rows (off policy).
 * As in GKD (Agarwal et al. 2024) no gradient flows through the sampling. With a replay whole steps are of the
 * data or of the student, which may have written their rows in earlier steps (DistiLLM).
 *
 * Losses on sampled tokens count only the student's own rows, losses on labels only the data's. The
 * advantages of the policy gradient are what the teacher thinks of a token more than the student
 * did: log T(y) − log S_old(y), and a share of those of the tokens after it (`advantageDiscount`).
 *
 * Losses on states of layers compare the pairs of their `layers`, at the positions whose next token is
 * learned.
 */
export async function* distill(options: DistillOptions): AsyncGenerator<StepMetrics> {
  requireParts("distill", options, [
    "student",
    "teacher",
    "data",
    "optimizer",
    "tokenizer",
    "random",
  ]);
  const { student, teacher, data, optimizer, steps, tokenizer, random, projections } = options;
  const { onPolicyFraction = 1, sampling = ownDistribution, maxNewTokens = 64 } = options;
  const { startStep = 0, batchSize = 16 } = options;
  const schedule = completeSchedule(options.schedule);
  const { gradientAccumulationSteps = 1, maxGradNorm, advantageDiscount = 0 } = options;
  const { packing = false } = options;
  const { endIds, padId } = tokenizer;
  const restrict = (row: TokenSequence) => teacher.restrict?.(row) ?? row;
  const studentVocabSize = student.config.vocabSize;
  const studentLayers = layerSizesOf(student);
  const { replay: buffered } = options;
  if (buffered !== undefined) checkReplay(buffered.replay, { batchSize, onPolicyFraction });
  const supply = {
    ...{ studentVocabSize, studentLayers, teacher },
    onPolicyFraction: buffered === undefined ? onPolicyFraction : replayedFraction,
    hasReplay: buffered !== undefined,
    ...{ gradientAccumulationSteps, packing, advantageDiscount },
  };
  const signals = withLogits(checkLoss(options.loss, supply), teacher);
  const sizes = { student: studentLayers, teacher: teacher.layerSizes };
  checkProjections(options.loss, sizes, projections);
  const loss = settleLayers(options.loss, sizes);
  const layers = requestedLayers(loss, "teacher");
  const readsRollouts = needsOf(loss).some(
    (need) => need === "oldTokenLogProbs" || need === "advantages",
  );
  const lossStates = trackLossStates(loss, steps, options.lossStates);

  for (let step = startStep; step < steps; step++) {
    const startMs = performance.now();
    const rows = await data.rows(step, batchSize);
    const write: Write = (sources) =>
      sampleRollouts({
        model: student,
        prompts: sources.map(data.promptOf),
        endIds,
        padId,
        maxNewTokens,
        maxPositions: teacher.maxPositions,
        policy: sampling,
        random: random.stream("rollout", step),
      });
    const { written, fresh, metrics } = await (buffered === undefined
      ? writtenRows(rows, rowsOnPolicy(step, batchSize, onPolicyFraction), write)
      : replayedRows(rows, { step, steps }, buffered, {
          random: random.stream("replay", step),
          write,
        }));
    const rollouts = written.map(({ rollout }) => rollout);

    using batches = splitIntoBatches(
      written.map(({ rollout, source }) => restrict(rolloutToSequence(rollout, source))),
      rows.slice(written.length).map(restrict),
      gradientAccumulationSteps,
      padId,
      { packing, mostPositions: fewestPositions(student, teacher) },
    );
    using scored = await scoreBatches(batches, teacher, {
      ...{ signals, layers, random: random.stream("teacher", step) },
      ...(readsRollouts ? { rollouts } : {}),
      advantageDiscount,
    });

    using gradients = await computeGradients(student, loss, scored.parts, {
      ...lossStates.contextOf(step),
      tokenizer,
      ...(projections && { projections }),
    });
    const learningRate = learningRateAt(step, steps, schedule);
    applyGradients(optimizer, gradients, learningRate, maxGradNorm);
    lossStates.advance(step, gradients.means);
    teacher.afterStep?.();

    yield {
      step: step + 1,
      ...commonMetrics(gradients, batches),
      learningRate,
      onPolicyShare: written.length / batchSize,
      ...rolloutMetrics(fresh, endIds),
      ...metrics,
      ...routingMetrics(scored.parts, gradients.routed),
      cost: addCosts(writingCost(fresh), stepCost(scored.parts)),
      ...lossStates.metrics(),
      elapsedMs: performance.now() - startMs,
    };
  }
}

/** What the loss needs and, for the diagnostics, logits that such a teacher computes anyway. */
function withLogits(signals: readonly TeacherSignal[], { provides }: Teacher): TeacherSignal[] {
  const hasThem = signals.length > 0 && provides.includes("teacherLogits");
  return hasThem ? [...new Set<TeacherSignal>([...signals, "teacherLogits"])] : [...signals];
}

/**
 * How many rows of a step are on policy, so that the share over any run of steps differs from the
 * fraction by less than one row. A function of the step alone.
 */
export function rowsOnPolicy(step: number, batchSize: number, fraction: number): number {
  const until = (steps: number) => Math.floor(fraction * batchSize * steps + 1e-9);
  return until(step + 1) - until(step);
}

type RoutingMetrics = Pick<StepMetrics, "routedRows" | "routedTokenShares" | "routedDivergences">;

function routingMetrics(
  parts: readonly MicroBatch[],
  routedDivergences: NonNullable<StepMetrics["routedDivergences"]>,
): RoutingMetrics {
  const counts: Record<string, number> = {};
  const shares: Record<string, number> = {};
  const tokens = parts.reduce((sum, { batch }) => sum + batch.numTokens, 0);
  for (const { teacher, batch } of parts) {
    for (const [i, name] of (teacher?.routes ?? []).entries()) {
      const own = (batch.tokensPerSequence[i] as number) / Math.max(1, tokens);
      shares[name] = (shares[name] ?? 0) + own;
    }
    for (const [name, rows] of Object.entries(teacher?.routedRows ?? {})) {
      counts[name] = (counts[name] ?? 0) + rows;
    }
  }
  return Object.keys(counts).length === 0
    ? {}
    : { routedRows: counts, routedTokenShares: shares, routedDivergences };
}

function rolloutMetrics(
  rollouts: readonly Rollout[],
  endIds: readonly number[],
): Pick<StepMetrics, "rolloutLength" | "rolloutEndRate"> {
  if (rollouts.length === 0) return {};
  const tokens = rollouts.reduce((sum, rollout) => sum + rollout.completionIds.length, 0);
  const ended = rollouts.filter((rollout) => rollout.finished).length;
  const rolloutLength = tokens / rollouts.length;
  // Where nothing can end a completion, a rate of 0 would say nothing.
  return endIds.length === 0
    ? { rolloutLength }
    : { rolloutLength, rolloutEndRate: ended / rollouts.length };
}
