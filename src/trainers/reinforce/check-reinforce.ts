import type { ProblemSource } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { readsLayers } from "../../losses/index.js";
import type { LanguageModel } from "../../models/index.js";
import {
  type AdvantageOptions,
  checkRewards,
  requireSampler,
  type RewardCombination,
  type RewardTerm,
  type SamplerDefinition,
} from "../../rollouts/index.js";
import type { Teacher, TeacherSignal } from "../../teachers/index.js";
import { checkLoss } from "../checks/check-loss.js";
import type { StepTerm } from "../step/step-term.js";

/** What a run of `reinforce` is made of, as far as it can be checked before it starts. */
export interface ReinforceParts {
  readonly studentVocabSize: number;
  readonly teacher: Teacher | undefined;
  /** Writes where a sampler has a teacher write. */
  readonly writer: LanguageModel | undefined;
  readonly reference: Teacher | undefined;
  readonly source: ProblemSource;
  readonly sampler: Pick<SamplerDefinition, "name" | "needs" | "needsFor">;
  readonly samplerConfig: Readonly<Record<string, unknown>>;
  readonly loss: readonly StepTerm[];
  readonly rewards: readonly RewardTerm[];
  readonly combine: RewardCombination;
  readonly advantage: AdvantageOptions;
  readonly steps: number;
  readonly startStep: number;
  readonly updatesPerRollout: number;
  readonly minibatches: number;
  readonly gradientAccumulationSteps: number;
  readonly packing: boolean;
}

/** What to ask of the two models that score. */
export interface ReinforceSignals {
  readonly teacher: readonly TeacherSignal[];
  readonly reference: readonly TeacherSignal[];
}

/**
 * Refuses what cannot work or would teach nothing.
 *
 * @throws PupilError naming the field
 */
export function checkReinforce(parts: ReinforceParts): ReinforceSignals {
  checkUpdates(parts);
  checkSampler(parts);
  const { source, rewards, combine, teacher, reference, advantage, loss } = parts;
  checkRewards(rewards, combine, {
    problems: source,
    hasTeacher: teacher !== undefined,
    hasOtherSignal: advantage.teacher !== undefined || loss.some(comparesWithTeacher),
    ...(parts.sampler.name === "plain" ? { givesKeySteps: false, givesBudgets: false } : {}),
  });
  checkTeacher(parts);
  checkTerms(parts);
  const supply = {
    ...{ onPolicyFraction: 1, reinforce: true, studentVocabSize: parts.studentVocabSize },
    gradientAccumulationSteps: parts.gradientAccumulationSteps,
    packing: parts.packing,
  };
  const [ofReference, ofTeacher] = [true, false].map((is) =>
    loss.filter(({ against }) => (against === "reference") === is),
  ) as [StepTerm[], StepTerm[]];
  const given = (model: Teacher | undefined) => (model === undefined ? {} : { teacher: model });
  return {
    teacher: checkLoss(ofTeacher, { ...supply, ...given(teacher) }),
    reference: [
      ...new Set<TeacherSignal>([
        ...checkLoss(ofReference, { ...supply, ...given(reference) }),
        // For the log: how far the student has come from it.
        ...(reference === undefined ? [] : (["teacherTokenLogProbs"] as const)),
      ]),
    ],
  };
}

/** Layers are compared where a teacher is imitated for its own sake. */
function checkTerms({ loss }: ReinforceParts): void {
  const ofLayers = loss.find(({ definition }) => readsLayers(definition));
  if (ofLayers === undefined) return;
  throw new PupilError(
    `The loss ${ofLayers.definition.name} compares layers, which reinforce does not show.`,
    { field: "trainer.loss", remedy: 'Use the "distill" trainer, or leave the term out.' },
  );
}

function comparesWithTeacher({ definition, against }: StepTerm): boolean {
  if (against === "reference") return false;
  return readsTeacher(definition);
}

function readsTeacher({ needs }: StepTerm["definition"]): boolean {
  return needs.some((need) => need.startsWith("teacher"));
}

function checkUpdates(parts: ReinforceParts): void {
  const { steps, startStep, updatesPerRollout, minibatches } = parts;
  if (updatesPerRollout % minibatches !== 0) {
    throw new PupilError(
      `${updatesPerRollout} updates of ${minibatches} minibatches would use some rollouts more often than others.`,
      {
        field: "trainer.updatesPerRollout",
        value: updatesPerRollout,
        remedy: "Make it a multiple of trainer.minibatches.",
      },
    );
  }
  if (steps % updatesPerRollout !== 0) {
    throw new PupilError(
      `is ${steps}, which would end in the middle of a batch of rollouts of ${updatesPerRollout} updates.`,
      {
        field: "trainer.steps",
        value: steps,
        remedy: "Make it a multiple of trainer.updatesPerRollout.",
      },
    );
  }
  if (startStep % updatesPerRollout === 0) return;
  throw new PupilError(
    `is ${startStep}, in the middle of a batch of rollouts, which is not there any more.`,
    { field: "startStep", value: startStep, remedy: "Begin at a multiple of updatesPerRollout." },
  );
}

function checkSampler(parts: ReinforceParts): void {
  const { sampler, samplerConfig, source, teacher, writer, advantage, rewards } = parts;
  requireSampler(
    { definition: sampler, config: samplerConfig },
    {
      ...{ problems: source, student: true, teacher: writer !== undefined },
      ...(teacher && { silentTeacher: teacher.name }),
    },
    "trainer.sampler.type",
  );
  const isCompared = rewards.length > 0 && advantage.baseline !== "none";
  if (!isCompared || samplerConfig["samplesPerProblem"] !== 1) return;
  throw new PupilError(
    "One completion of each problem has no others to be compared with: all advantages would be 0.",
    {
      field: "trainer.sampler.samplesPerProblem",
      value: 1,
      remedy: 'Raise it (8 is usual), or set trainer.advantage.baseline to "none".',
    },
  );
}

function checkTeacher({ advantage, teacher, loss, reference }: ReinforceParts): void {
  const remedyFor = (what: string) => ({ field: what, remedy: 'Set "teacher", or leave it out.' });
  if (advantage.teacher !== undefined) {
    if (teacher === undefined) {
      throw new PupilError(
        "The advantages are to have a teacher's opinion in them, but there is no teacher.",
        remedyFor("trainer.advantage.teacher"),
      );
    }
    if (!teacher.provides.includes("teacherTokenLogProbs") || teacher.scoresOnly !== undefined) {
      throw new PupilError(
        `The teacher "${teacher.name}" cannot say how likely it finds what the student writes.`,
        remedyFor("trainer.advantage.teacher"),
      );
    }
  }
  if (reference === undefined && loss.some(({ against }) => against === "reference")) {
    throw new PupilError("A term is held against a reference, but there is none.", {
      field: "trainer.loss",
      remedy:
        'Set trainer.reference to "initial" (the student that the run begins with) or to a model folder.',
    });
  }
  const unread = loss.find(
    ({ definition, against }) => against === "reference" && !readsTeacher(definition),
  );
  if (unread === undefined) return;
  throw new PupilError(`The loss ${unread.definition.name} compares with no model.`, {
    field: "trainer.loss",
    value: unread.against,
    remedy: "Leave `against` out.",
  });
}
