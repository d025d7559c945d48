import {
  encodePrompt,
  type RankingCandidate,
  type RankingList,
  rankingWindows,
  readRanking,
  type Tokenizer,
  writeRankingPrompt,
} from "../../data/index.js";
import type { LanguageModel } from "../../models/index.js";
import type { SamplingPolicy } from "../../rollouts/index.js";
import type { ListTeacher } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";
import { rankingMetrics } from "./evaluate-ranking.js";
import { sampleCompletions } from "./evaluate.js";

/** How a text model ranks lists that are longer than what it reads at once. */
export interface RankingWindowOptions {
  /** Candidates of a window. */
  readonly size: number;
  /** Places from one window up to the next. */
  readonly stride: number;
}

export interface EvaluateWindowsOptions {
  readonly tokenizer: Tokenizer;
  readonly window: RankingWindowOptions;
  readonly maxNewTokens: number;
  readonly batchSize: number;
  readonly sampling: SamplingPolicy;
  /** By whose scores the lists are sorted before the first window. Default: they stay as they are. */
  readonly first?: ListTeacher | undefined;
  readonly random: Random;
}

/**
 * How well a text model ranks lists: it writes the order of a window at a time, from the bottom of the list
 * up, starting from the order of the lists or that of a first stage (`windowNdcg1`, `5`, `10`, `windowKendallTau`).
 * `windowWholeRate` is the share of windows whose completion named every candidate once; what was not named keeps its
 * order behind what was.
 */
export async function evaluateWindows(
  student: LanguageModel,
  lists: readonly RankingList[],
  options: EvaluateWindowsOptions,
): Promise<Record<string, number>> {
  const { tokenizer, window, maxNewTokens, batchSize, sampling, random } = options;
  const { endIds, padId } = tokenizer;
  const orders: RankingCandidate[][] = [];
  for (const list of lists) orders.push(await firstOrder(list, options.first));
  const plans = orders.map(({ length }) => rankingWindows(length, window.size, window.stride));
  const rounds = Math.max(0, ...plans.map(({ length }) => length));
  let [windows, whole] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const places = plans.flatMap((plan, list) => {
      const at = plan[round];
      return at === undefined ? [] : [{ list, ...at }];
    });
    const prompts = places.map(({ list, start, end }) => {
      const texts = (orders[list] ?? []).slice(start, end).map(({ text }) => text);
      return encodePrompt(tokenizer, writeRankingPrompt((lists[list] as RankingList).query, texts));
    });
    const { rollouts } = await sampleCompletions(student, prompts, {
      ...{ batchSize, endIds, padId, maxNewTokens, policy: sampling },
      random: random.stream("window", round),
    });
    for (const [i, { list, start, end }] of places.entries()) {
      const completion = tokenizer.decode(rollouts[i]?.completionIds ?? []);
      const { order, isWhole } = readRanking(completion, end - start);
      const before = (orders[list] ?? []).slice(start, end);
      const after = order.map((place) => before[place] as RankingCandidate);
      orders[list]?.splice(start, end - start, ...after);
      windows += 1;
      whole += Number(isWhole);
    }
  }
  const ranked = lists.map((list, i) => ({ ...list, candidates: orders[i] ?? [] }));
  const byPlace = ranked.map(({ candidates }) => candidates.map((_, place) => -place));
  const { kendallTau = 0, ...metrics } = rankingMetrics(ranked, byPlace);
  return {
    windowNdcg1: metrics["ndcg1"] as number,
    windowNdcg5: metrics["ndcg5"] as number,
    windowNdcg10: metrics["ndcg10"] as number,
    windowKendallTau: kendallTau,
    windowWholeRate: whole / Math.max(1, windows),
  };
}

/** Candidates by falling scores; equal ones stay in the order of the list. */
async function firstOrder(
  list: RankingList,
  first: ListTeacher | undefined,
): Promise<RankingCandidate[]> {
  const candidates = [...list.candidates];
  if (first === undefined) return candidates;
  const scores = await first.scores(list);
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
  return order.map((place) => candidates[place] as RankingCandidate);
}
