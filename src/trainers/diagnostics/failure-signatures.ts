import type { StepMetrics } from "../step/metrics.js";
import { divergence, explodedNats } from "./divergence.js";

/** What the steps before the present one were like. */
export interface TrainingHistory {
  readonly first: StepMetrics;
  /** Smallest value so far, by name of the diagnostic. */
  readonly lowest: Readonly<Record<string, number>>;
  /** Of each term the value at the first step that had rows for it, by the term's name. */
  readonly firstTerms: Readonly<Record<string, number>>;
}

/** A known way for a training to go wrong, and what it looks like in the metrics. */
export interface FailureSignature {
  readonly name: string;
  /** Steps in a row that must show it before it is no accident. */
  readonly steps: number;
  shows(metrics: StepMetrics, history: TrainingHistory): boolean;
  /** What is seen, with its numbers. */
  describe(metrics: StepMetrics, history: TrainingHistory): string;
  readonly remedy: string;
}

const nats = (value: number | undefined) => `${(value ?? 0).toPrecision(3)} nats`;
const tokens = (value: number | undefined) => (value ?? 0).toFixed(1);
const percent = (value: number | undefined) => `${(100 * (value ?? 0)).toFixed(1)} %`;

/** The entropy that a student should come near to: its teacher's, else its own at the start. */
function expectedEntropy({ diagnostics }: StepMetrics, { first }: TrainingHistory): number {
  return diagnostics["teacherEntropy"] ?? first.diagnostics["studentEntropy"] ?? 0;
}

/** What shows that a training diverges: a loss, or where that is bounded the forward KL. */
function risen({ terms, diagnostics }: StepMetrics, history: TrainingHistory): string | undefined {
  const { firstTerms, lowest } = history;
  const { forwardKl, coarseForwardKl } = diagnostics;
  const kls = {
    ...(forwardKl === undefined ? {} : { forwardKl }),
    ...(coarseForwardKl === undefined ? {} : { coarseForwardKl }),
  };
  return divergence(terms, firstTerms) ?? divergence(kls, lowest, explodedNats);
}

/** Every signature that is watched for, in the order of their warnings. */
export const failureSignatures: readonly FailureSignature[] = [
  {
    name: "all-positions-masked",
    steps: 1,
    shows: ({ tokens }) => tokens === 0,
    describe: () => "no token of the step is learned: every position is masked",
    remedy:
      "Look at the rows with `pupil data <config>`: completions may be empty, or cut off by maxLength.",
  },
  {
    name: "loss-diverges",
    steps: 3,
    shows: (metrics, history) => risen(metrics, history) !== undefined,
    describe: (metrics, history) => risen(metrics, history) ?? "",
    remedy: "Lower learningRate, add warmupSteps, or set maxGradNorm to 1 or less.",
  },
  {
    name: "entropy-collapse",
    steps: 20,
    shows: (metrics, history) => {
      const { studentEntropy } = metrics.diagnostics;
      const expected = expectedEntropy(metrics, history);
      // Falling from the start's entropy is what learning from data looks like.
      const isCompared = metrics.onPolicyShare > 0 && expected > 0.05;
      return isCompared && studentEntropy !== undefined && studentEntropy < expected / 10;
    },
    describe: (metrics, history) =>
      `the student's entropy has collapsed to ${nats(metrics.diagnostics["studentEntropy"])} ` +
      `(${metrics.diagnostics["teacherEntropy"] === undefined ? "at the start" : "teacher"}: ` +
      `${nats(expectedEntropy(metrics, history))})`,
    remedy:
      "Mix in forward-kl or rows of the data (onPolicyFraction below 1), raise the loss temperature, or lower learningRate.",
  },
  {
    name: "mass-outside-support",
    steps: 20,
    shows: ({ diagnostics: { studentTailMass, teacherTailMass } }, { lowest }) =>
      studentTailMass !== undefined &&
      studentTailMass > 3 * (teacherTailMass ?? 0) &&
      studentTailMass > (lowest["studentTailMass"] ?? 0) + 0.1,
    describe: ({ diagnostics }, { lowest }) =>
      `the student's probability outside the teacher's K tokens has grown from ` +
      `${percent(lowest["studentTailMass"])} to ${percent(diagnostics["studentTailMass"])} ` +
      `(teacher: ${percent(diagnostics["teacherTailMass"])})`,
    remedy: 'Use support "tail" in sparse-kl, a larger topK, or sampled-kl, which is unbiased.',
  },
  {
    name: "no-end-token",
    steps: 20,
    shows: ({ rolloutEndRate }) => rolloutEndRate === 0,
    describe: ({ rolloutLength }) =>
      `the student never ends a completion; all are cut off (${rolloutLength?.toFixed(1)} tokens on average)`,
    remedy:
      "Train it on the data first (sft), check that rows end with an end token (`pupil data <config>`), or raise maxNewTokens.",
  },
  {
    name: "both-sides-fall",
    steps: 20,
    shows: ({ diagnostics }, { first }) =>
      ["positiveLogProb", "negativeLogProb"].every((side) => {
        const [now, then] = [diagnostics[side], first.diagnostics[side]];
        return now !== undefined && then !== undefined && now < then - 0.5;
      }),
    describe: ({ diagnostics }, { first }) =>
      "both sides of the pairs have become less likely: preferred " +
      `${nats(first.diagnostics["positiveLogProb"])} to ${nats(diagnostics["positiveLogProb"])} a token, ` +
      `rejected ${nats(first.diagnostics["negativeLogProb"])} to ${nats(diagnostics["negativeLogProb"])}`,
    remedy:
      "Lower negativeWeight (redi) or beta, or add a term on the preferred answers: rpo's nllWeight, or cross-entropy.",
  },
  {
    name: "zero-variance-advantages",
    steps: 5,
    shows: ({ diagnostics: { advantageStd }, degenerateGroups }) =>
      advantageStd !== undefined && advantageStd < 1e-6 && degenerateGroups !== 1,
    describe: () => "all advantages are equal, so that the policy gradient is noise or nothing",
    remedy:
      "Sample with a higher samplingTemperature, use harder prompts, or check that student and teacher differ.",
  },
  {
    name: "degenerate-groups",
    steps: 10,
    shows: ({ degenerateGroups }) => degenerateGroups === 1,
    describe: ({ reward }) =>
      `all completions of every problem have the same reward (${(reward ?? 0).toPrecision(3)} on average), so that none is better than another`,
    remedy:
      "Where all are wrong: train on the data first (sft), take easier problems, or let a sampler guide. Where all are right: take harder ones. Else raise samplesPerProblem or samplingTemperature.",
  },
  {
    name: "length-collapse",
    steps: 20,
    shows: ({ reward, rolloutLength }, { first }) =>
      reward !== undefined &&
      rolloutLength !== undefined &&
      rolloutLength < (first.rolloutLength ?? 0) / 4,
    describe: ({ rolloutLength, reward }, { first }) =>
      `completions have shrunk from ${tokens(first.rolloutLength)} to ${tokens(rolloutLength)} tokens, ` +
      `the reward went from ${(first.reward ?? 0).toPrecision(3)} to ${(reward ?? 0).toPrecision(3)}`,
    remedy:
      "If the reward has not grown, something else than a right answer pays for being brief: look at `rewards` of the log, multiply length and correctness in place of adding them (combine), or set the loss's aggregation to token.",
  },
  {
    name: "leaves-reference",
    steps: 20,
    shows: ({ diagnostics: { referenceKl } }) => referenceKl !== undefined && referenceKl > 2,
    describe: ({ diagnostics }) =>
      `the student is ${nats(diagnostics["referenceKl"])} a token away from its reference`,
    remedy:
      "Lower learningRate or updatesPerRollout, or raise the weight of the term against the reference.",
  },
];
