import {
  makeBatch,
  type RankingList,
  roundedLength,
  someCandidates,
  type Tokenizer,
} from "../data/index.js";
import type { LossState, LossTerm } from "../losses/index.js";
import { contextLength, type SequenceModel } from "../models/index.js";
import { type AdamW, completeSchedule, learningRateAt, type Schedule } from "../optim/index.js";
import { addCosts, noCost } from "../rollouts/index.js";
import type { ListTeacher } from "../teachers/index.js";
import type { Random } from "../tensors/index.js";
import { checkLoss } from "./checks/check-loss.js";
import { requireParts } from "./checks/trainer-parts.js";
import type { ListBatch } from "./step/list-inputs.js";
import { trackLossStates } from "./step/loss-states.js";
import { commonMetrics, type StepMetrics } from "./step/metrics.js";
import { evenParts, stepBatches } from "./step/micro-batches.js";
import { applyGradients, computeGradients } from "./step/step.js";
import { stepCost } from "./step/step-cost.js";

/** Lists to rank as a function of the step, like `TrainingData`. */
export interface RankData {
  /** Lists of one epoch, where there are epochs; absent for endless data. */
  readonly size?: number;
  /** The `count` lists of optimizer step `step` (from 0). */
  lists(step: number, count: number): readonly RankingList[] | Promise<readonly RankingList[]>;
}

export interface RankOptions {
  /** A model with one score for a whole sequence. */
  readonly student: SequenceModel;
  /** Whose scores are learned, beside or in place of the grades of the data. */
  readonly teacher?: ListTeacher;
  readonly data: RankData;
  readonly optimizer: AdamW;
  /** Losses on lists, such as candidate-cross-entropy, rank-net, list-kl; each says whose scores it takes. */
  readonly loss: readonly LossTerm[];
  readonly steps: number;
  readonly tokenizer: Pick<Tokenizer, "padId">;
  /** For which candidates of long lists a step looks at. */
  readonly random: Random;
  /** Most candidates of a list in a step: one with the highest grade, others at random. Default: all. */
  readonly candidates?: number;
  readonly schedule?: Partial<Schedule>;
  /** Steps already done, when a run is resumed. */
  readonly startStep?: number;
  readonly lossStates?: Readonly<Record<string, LossState>>;
  /** Lists per optimizer step, over all micro-batches. Default: 16. */
  readonly batchSize?: number;
  readonly gradientAccumulationSteps?: number;
  readonly maxGradNorm?: number;
}

/**
 * Learning to rank: the student gives every candidate of a query a score, and a step is the mean over its
 * queries of losses on their lists of scores. With `candidate-cross-entropy` or `rank-net` on relevance and
 * `list-kl` on a teacher's scores it is the first stage of DeAR.
 *
 * @see https://arxiv.org/abs/2508.16998
 */
export async function* rank(options: RankOptions): AsyncGenerator<StepMetrics> {
  requireParts("rank", options, ["student", ["data", "lists"], "optimizer", "tokenizer", "random"]);
  const { student, teacher, data, optimizer, loss, steps, tokenizer, random } = options;
  const { startStep = 0, batchSize = 16, candidates = Number.POSITIVE_INFINITY } = options;
  const { gradientAccumulationSteps = 1, maxGradNorm } = options;
  const schedule = completeSchedule(options.schedule);
  checkLoss(loss, {
    studentVocabSize: student.config.vocabSize,
    onPolicyFraction: 0,
    gradientAccumulationSteps,
    lists: { hasTeacher: teacher !== undefined },
  });
  const lossStates = trackLossStates(loss, steps, options.lossStates);

  for (let step = startStep; step < steps; step++) {
    const startMs = performance.now();
    const lists = (await data.lists(step, batchSize)).map((list, i) =>
      someCandidates(list, candidates, random.stream("candidates", step, i)),
    );
    const teacherScores = teacher && (await scoresOf(teacher, lists));
    const teacherForwards = (teacherScores ?? []).flat().length;
    const scored = lists.map((list, i) => ({ list, teacher: teacherScores?.[i] }));
    const parts = evenParts(scored, gradientAccumulationSteps, "queries");
    const rows = parts.map(({ own }) => {
      return asSequences(
        own.flatMap(({ list }) => list.candidates),
        tokenizer.padId,
      );
    });
    const length = roundedLength(rows.flat(), contextLength(student.config));
    using batches = stepBatches(
      parts.map(({ start }, i) => {
        const batch = makeBatch(rows[i] ?? [], tokenizer.padId, length);
        return { batch, firstRow: start, onPolicyRows: 0 };
      }),
    );
    const microBatches = batches.parts.map((part, i) => {
      return { ...part, lists: listsOf(parts[i]?.own ?? []) };
    });
    const context = lossStates.contextOf(step);
    using gradients = await computeGradients(student, loss, microBatches, context);
    const learningRate = learningRateAt(step, steps, schedule);
    applyGradients(optimizer, gradients, learningRate, maxGradNorm);
    lossStates.advance(step, gradients.means);

    yield {
      step: step + 1,
      ...commonMetrics(gradients, batches),
      learningRate,
      onPolicyShare: 0,
      cost: addCosts(stepCost(batches.parts), { ...noCost, teacherForwards }),
      ...lossStates.metrics(),
      elapsedMs: performance.now() - startMs,
    };
  }
}

/** One list after the other: a teacher may be one model. */
async function scoresOf(
  teacher: ListTeacher,
  lists: readonly RankingList[],
): Promise<(readonly number[])[]> {
  const scores: (readonly number[])[] = [];
  for (const list of lists) scores.push(await teacher.scores(list));
  return scores;
}

/** A batch's inputs are all ids of a row but its last: one that is no part of the sequence. */
function asSequences(rows: readonly { readonly ids: readonly number[] }[], padId: number) {
  return rows.map(({ ids }) => ({ ids: [...ids, padId], completionStart: 1 }));
}

function listsOf(
  scored: readonly {
    readonly list: RankingList;
    readonly teacher: readonly number[] | undefined;
  }[],
): ListBatch {
  const grades = scored.map(({ list }) => list.candidates.map(({ grade = 0 }) => grade));
  const teacher = scored.flatMap((row) => (row.teacher === undefined ? [] : [row.teacher]));
  return {
    sizes: grades.map(({ length }) => length),
    scores: {
      grades,
      relevance: grades.map((list) => list.map((grade) => Number(grade > 0))),
      ...(teacher.length === scored.length ? { teacher } : {}),
    },
  };
}
