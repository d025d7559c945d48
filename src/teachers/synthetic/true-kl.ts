import { PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import type { NextLogProbs } from "./next-log-probs.js";
import { chooseToken } from "./sample-exactly.js";

/** Which sequences are compared. */
export interface SequenceSpace {
  readonly vocabSize: number;
  /** Ids after the prompt, at most. */
  readonly length: number;
  /** Given to both. A model needs at least one id. */
  readonly prompt: readonly number[];
  /** A sequence ends with any of these. Default: none. */
  readonly endIds?: readonly number[];
}

/**
 * Divergences between two distributions over whole sequences, in nats per sequence: sums over the
 * positions after the prompt, which are the values to plot.
 */
export interface SequenceKl {
  /** KL(teacher ‖ student). */
  readonly forwardKl: number;
  /** KL(student ‖ teacher). */
  readonly reverseKl: number;
  /** `[length]`: what each position adds to `forwardKl`. */
  readonly forwardByPosition: readonly number[];
  /** `[length]`: what each position adds to `reverseKl`. */
  readonly reverseByPosition: readonly number[];
  /** 0 where every sequence was enumerated. */
  readonly forwardStandardError: number;
  readonly reverseStandardError: number;
  readonly method: "enumeration" | "sampling";
}

/** Prefixes that {@link enumerateKl} visits at most, unless told otherwise. */
const defaultLimit = 100_000;

/**
 * The exact sequence-level divergences, by the chain rule over every prefix:
 *
 *     KL(P ‖ Q) = Σ_t Σ_{x_<t} P(x_<t) KL(P(· | x_<t) ‖ Q(· | x_<t))
 *
 * Visits 1 + V + … + V^(length − 1) prefixes, all of one length at once.
 *
 * @throws PupilError if that is more than `limit`
 */
export async function enumerateKl(
  teacher: NextLogProbs,
  student: NextLogProbs,
  space: SequenceSpace & { readonly limit?: number },
): Promise<SequenceKl> {
  const { vocabSize, length, prompt, endIds = [], limit = defaultLimit } = space;
  const prefixes = numPrefixes(vocabSize, length);
  if (prefixes > limit) {
    throw new PupilError(
      `${length} tokens of ${vocabSize} have ${prefixes.toLocaleString("en-US")} prefixes, more than ${limit.toLocaleString("en-US")}.`,
      { field: "length", value: length, remedy: "Shorten the sequences, or use estimateKl." },
    );
  }
  const forwardByPosition: number[] = [];
  const reverseByPosition: number[] = [];
  // Both log-probabilities of every prefix of one length.
  let level = [{ ids: prompt, p: 0, q: 0 }];
  for (let position = 0; position < length; position++) {
    const ids = level.map((prefix) => prefix.ids);
    const [ps, qs] = await Promise.all([teacher(ids), student(ids)]);
    let forward = 0;
    let reverse = 0;
    const next: typeof level = [];
    for (const [i, prefix] of level.entries()) {
      const [p, q] = [ps[i], qs[i]] as [ArrayLike<number>, ArrayLike<number>];
      forward += weighted(prefix.p, tokenKl(p, q));
      reverse += weighted(prefix.q, tokenKl(q, p));
      if (position + 1 === length) continue;
      for (let id = 0; id < vocabSize; id++) {
        if (endIds.includes(id)) continue;
        const child = {
          ids: [...prefix.ids, id],
          p: prefix.p + (p[id] as number),
          q: prefix.q + (q[id] as number),
        };
        if (Math.max(child.p, child.q) > Number.NEGATIVE_INFINITY) next.push(child);
      }
    }
    forwardByPosition.push(forward);
    reverseByPosition.push(reverse);
    level = next;
  }
  return {
    forwardKl: sumOf(forwardByPosition),
    reverseKl: sumOf(reverseByPosition),
    forwardByPosition,
    reverseByPosition,
    forwardStandardError: 0,
    reverseStandardError: 0,
    method: "enumeration",
  };
}

/**
 * Unbiased estimates of the same: prefixes are drawn (from the teacher for the forward KL, from the
 * student for the reverse), and at every position of them the divergence of the next token is summed
 * over the whole vocabulary, which has less variance than log P − log Q of whole sequences.
 */
export async function estimateKl(
  teacher: NextLogProbs,
  student: NextLogProbs,
  space: SequenceSpace & { readonly samples: number; readonly random: Random },
): Promise<SequenceKl> {
  const forward = await sampledKlOf(teacher, student, space, "forward");
  const reverse = await sampledKlOf(student, teacher, space, "reverse");
  return {
    forwardKl: sumOf(forward.byPosition),
    reverseKl: sumOf(reverse.byPosition),
    forwardByPosition: forward.byPosition,
    reverseByPosition: reverse.byPosition,
    forwardStandardError: forward.standardError,
    reverseStandardError: reverse.standardError,
    method: "sampling",
  };
}

/** How far a student really is: exact where the sequences can be enumerated, else an estimate. */
export function trueKl(
  teacher: NextLogProbs,
  student: NextLogProbs,
  space: SequenceSpace & {
    readonly samples: number;
    readonly random: Random;
    readonly limit?: number;
  },
): Promise<SequenceKl> {
  const canEnumerate = numPrefixes(space.vocabSize, space.length) <= (space.limit ?? defaultLimit);
  return canEnumerate ? enumerateKl(teacher, student, space) : estimateKl(teacher, student, space);
}

/** KL(P ‖ Q) of one next token, in nats; infinite where Q excludes what P does not. */
export function tokenKl(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let id = 0; id < p.length; id++) {
    const logP = p[id] as number;
    // 0 log 0 = 0.
    if (logP > Number.NEGATIVE_INFINITY) sum += Math.exp(logP) * (logP - (q[id] as number));
  }
  return sum;
}

async function sampledKlOf(
  from: NextLogProbs,
  to: NextLogProbs,
  options: SequenceSpace & { readonly samples: number; readonly random: Random },
  name: string,
): Promise<{ byPosition: number[]; standardError: number }> {
  const { length, prompt, endIds = [], samples, random } = options;
  const own = { samplingTemperature: 1, topK: 0, topP: 1, greedy: false };
  const totals = Array.from({ length: samples }, () => 0);
  const byPosition: number[] = [];
  let live = totals.map((_, sample) => ({ sample, ids: prompt }));
  for (let position = 0; position < length; position++) {
    const ids = live.map((row) => row.ids);
    const [ps, qs] = live.length === 0 ? [[], []] : await Promise.all([from(ids), to(ids)]);
    let sum = 0;
    live = live.flatMap(({ sample, ids: prefix }, i) => {
      const p = Float64Array.from(ps[i] as ArrayLike<number>);
      const kl = tokenKl(p, qs[i] as ArrayLike<number>);
      sum += kl;
      totals[sample] = (totals[sample] as number) + kl;
      const id = chooseToken(p, own, random.stream(name, sample, position).uniform());
      return endIds.includes(id) ? [] : [{ sample, ids: [...prefix, id] }];
    });
    byPosition.push(sum / samples);
  }
  const mean = sumOf(totals) / samples;
  const squares = totals.reduce((sum, total) => sum + (total - mean) ** 2, 0);
  return { byPosition, standardError: Math.sqrt(squares / Math.max(1, samples - 1) / samples) };
}

function numPrefixes(vocabSize: number, length: number): number {
  return sumOf(Array.from({ length }, (_, position) => vocabSize ** position));
}

/** exp(logWeight) · value, and 0 where the weight is 0 whatever the value. */
function weighted(logWeight: number, value: number): number {
  return logWeight === Number.NEGATIVE_INFINITY ? 0 : Math.exp(logWeight) * value;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
