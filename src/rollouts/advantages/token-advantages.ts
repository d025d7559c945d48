import { z } from "zod";
import { type LossWeight, weightAt, weightField } from "../../losses/index.js";
import { groupAdvantages } from "./group-advantages.js";
import { spreadAdvantage } from "./reward-to-go.js";
import { chosenRows, rowChoices } from "./row-choice.js";
import { teacherShift } from "./teacher-shift.js";
import { whiten } from "./whiten.js";

const discountField = (fallback: number) => z.number().min(0).max(1).default(fallback);

/** How rewards become an advantage of every token. */
export const advantageSchema = z.strictObject({
  baseline: z
    .enum(["mean", "leave-one-out", "none"])
    .default("mean")
    .describe(
      "What is subtracted from a reward: the mean of the completions of its problem (GRPO), of the others among them (RLOO), or nothing.",
    ),
  divideByStd: z
    .boolean()
    .default(true)
    .describe(
      "Divides by the standard deviation of the group; false weighs every problem by how undecided it is (Dr. GRPO).",
    ),
  stdFloor: z.number().positive().default(1e-4).describe("What is added to it."),
  injected: z
    .enum(["counted", "left-out"])
    .default("counted")
    .describe(
      "Whether completions of which the student wrote nothing count in mean and standard deviation.",
    ),
  injectedAtLeast: z
    .number()
    .optional()
    .describe("Raises their reward to this where it is less (AMPO: 1)."),
  degenerateGroups: z
    .enum(["zero", "leave-out"])
    .default("zero")
    .describe(
      "Groups whose rewards are all equal. zero: their tokens count, with an advantage of 0. leave-out: they do not count in the mean over tokens, so that the others' steps are larger (DAPO without sampling again).",
    ),
  discount: discountField(1).describe(
    "Below 1 the first tokens of a completion answer for its reward less than the last.",
  ),
  whiten: z
    .boolean()
    .default(false)
    .describe("Makes mean 0 and standard deviation 1 of the advantages of all tokens of a batch."),
  teacher: z
    .strictObject({
      weight: weightField.describe(
        "β: factor of the teacher's log-ratios in the advantages; { from, to } changes it over the training.",
      ),
      rows: z.enum(rowChoices).default("all").describe("Completions that get it."),
      discount: discountField(0).describe(
        "γ: how much later tokens count for the ones before them. 0: each answers for itself alone.",
      ),
      lengthNormalized: z
        .boolean()
        .default(false)
        .describe("The mean of what is left in place of its sum (MiniLLM)."),
      afterToken: z
        .boolean()
        .default(false)
        .describe("Leaves out a token's own log-ratio, which a reverse-kl term has exactly."),
      limit: z
        .number()
        .positive()
        .nullable()
        .default(null)
        .describe("Log-ratios count as at most this far from 0 (MiniLLM: 100); null: no limit."),
    })
    .optional()
    .describe(
      "Adds what the teacher thinks of each token more than the student did, log T − log S_old: sampled reverse KL as an advantage (KDRL).",
    ),
});
export type AdvantageOptions = z.output<typeof advantageSchema>;

/** What is known of a completion when advantages are made. */
export interface AdvantageRow {
  readonly reward: number;
  readonly correct: boolean;
  /** Number of its group: its problem. */
  readonly group: number;
  /** Of every token. */
  readonly own: readonly number[];
  readonly tokenLogProbs: readonly number[];
  /** For a teacher's part of the advantages; a token that the teacher knows nothing of has its own. */
  readonly teacherLogProbs?: readonly number[];
}

export interface TokenAdvantages {
  /** Per completion and token. */
  readonly advantages: readonly (readonly number[])[];
  /** Completions that are not to count in means over tokens. */
  readonly isLeftOut: readonly boolean[];
  readonly isDegenerate: readonly boolean[];
  /** Share of the groups whose rewards are all equal. */
  readonly degenerateGroups: number;
}

/**
 * An advantage for every token of a batch of completions:
 *
 *     A_t = γ^(N−1−t) · group advantage + β · what the teacher thinks of y_t and where it leads
 *
 * @param progress share of the training that is done, for β
 */
export function tokenAdvantages(
  rows: readonly AdvantageRow[],
  options: AdvantageOptions,
  progress: number,
): TokenAdvantages {
  const { injected, injectedAtLeast, degenerateGroups, discount, teacher } = options;
  const isInjected = rows.map(({ own }) => own.every((value) => value !== 1));
  const rewards = rows.map(({ reward }, i) =>
    isInjected[i] && injectedAtLeast !== undefined ? Math.max(reward, injectedAtLeast) : reward,
  );
  const ofGroups = groupAdvantages(
    rewards,
    rows.map(({ group }) => group),
    {
      ...options,
      ...(injected === "left-out" ? { counted: isInjected.map((is) => !is) } : {}),
    },
  );
  const shifts = teacher === undefined ? undefined : teacherShifts(rows, teacher, progress);
  const advantages = rows.map(({ own }, i) => {
    const spread = spreadAdvantage(ofGroups.advantages[i] as number, own.length, discount);
    return spread.map((value, t) => value + (shifts?.[i]?.[t] ?? 0));
  });
  const isLeftOut = ofGroups.isDegenerate.map(
    (is, i) => degenerateGroups === "leave-out" && is && !shifts?.[i]?.some((shift) => shift !== 0),
  );
  return {
    advantages: options.whiten ? whiten(advantages) : advantages,
    isLeftOut,
    isDegenerate: ofGroups.isDegenerate,
    degenerateGroups: ofGroups.degenerateGroups / Math.max(1, ofGroups.groups),
  };
}

function teacherShifts(
  rows: readonly AdvantageRow[],
  { weight, rows: choice, ...options }: NonNullable<AdvantageOptions["teacher"]>,
  progress: number,
): (readonly number[] | undefined)[] {
  const factor = weightAt(weight as LossWeight, progress);
  const isChosen = chosenRows(choice, rows);
  return rows.map(({ own, tokenLogProbs, teacherLogProbs }, i) => {
    if (!isChosen[i] || factor === 0 || teacherLogProbs === undefined) return undefined;
    return teacherShift(teacherLogProbs, tokenLogProbs, own, options).map((a) => factor * a);
  });
}
