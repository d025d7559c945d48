import { z } from "zod";
import type { Random } from "../../tensors/index.js";
import type { ReplayState, WrittenRow } from "./replay-state.js";

const share = () => z.number().min(0).max(1);

export const replaySchema = z.strictObject({
  capacity: z
    .int()
    .min(1)
    .default(1000)
    .describe("Rows that are kept, the last ones; at least batchSize."),
  threshold: share()
    .default(0)
    .describe("Probability, at first, that a step is of rows that the student wrote."),
  increase: share()
    .default(0.1)
    .describe("What is added to it when the validation loss has risen."),
  tolerance: z
    .number()
    .min(0)
    .default(0.1)
    .describe("Rise of the validation loss that counts, in nats per token."),
  every: z.int().min(1).default(100).describe("Steps from one validation loss to the next."),
  schedule: z
    .enum(["decreasing", "constant", "increasing"])
    .default("decreasing")
    .describe(
      "Share of the student's steps whose rows are written anew once the buffer is full, others being taken from it: 1 − progress, one half, or progress.",
    ),
});

export type ReplayOptions = z.output<typeof replaySchema>;

/** Whose rows a step learns: the data's, or the student's, written now or before. */
export type ReplayChoice = "data" | "written" | "replayed";

/** A buffer of rows that a student wrote, and how often they are learned: see {@link makeReplay}. */
export interface Replay {
  readonly options: ReplayOptions;
  /** What a step is made of; `progress` is the share of all steps that are done. */
  choose(progress: number, random: Random): ReplayChoice;
  /** Keeps rows; the oldest ones go where there is no more room. */
  add(rows: readonly WrittenRow[]): void;
  /** Different rows, at random. */
  draw(count: number, random: Random): WrittenRow[];
  /** Compares a validation loss with the last one that counted. */
  observe(validationLoss: number): void;
  state(): ReplayState;
}

/**
 * The adaptive off-policy learning of DistiLLM. With φ the threshold, r from 0 to 1 at random, t the share
 * of steps that are done:
 *
 *     r ≥ φ                                   rows of the data
 *     r < φ (1 − t), or the buffer not full   rows that the student writes now; they are kept
 *     else                                    rows of the buffer
 *
 *     φ ← min(1, φ + increase), v ← loss   where a validation loss ≥ v + tolerance
 *
 * v is the first validation loss, and then the last that raised φ: it never falls.
 *
 * @param saved of a checkpoint
 * @see https://arxiv.org/abs/2402.03898, section 3.2; its released finetune.py
 */
export function makeReplay(options: ReplayOptions, saved?: ReplayState): Replay {
  let { threshold, validationLoss }: Pick<ReplayState, "threshold" | "validationLoss"> = saved ?? {
    threshold: options.threshold,
    validationLoss: null,
  };
  let rows: readonly WrittenRow[] = saved?.rows ?? [];
  const { capacity, increase, tolerance, schedule } = options;
  const anew = (progress: number) =>
    ({ decreasing: 1 - progress, constant: 0.5, increasing: progress })[schedule];
  return {
    options,
    choose(progress, random) {
      const r = random.uniform();
      if (r >= threshold) return "data";
      const mustWrite = rows.length < capacity || r < threshold * anew(progress);
      return mustWrite ? "written" : "replayed";
    },
    add(written) {
      rows = [...rows, ...written].slice(-capacity);
    },
    draw(count, random) {
      const places = random.permutation(rows.length).slice(0, count);
      return [...places].map((place) => rows[place] as WrittenRow);
    },
    observe(loss) {
      if (validationLoss === null) validationLoss = loss;
      else if (loss >= validationLoss + tolerance) {
        validationLoss = loss;
        threshold = Math.min(1, threshold + increase);
      }
    },
    state: () => ({ threshold, validationLoss, rows: [...rows] }),
  };
}
