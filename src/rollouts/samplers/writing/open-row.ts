import {
  decodeCompletion,
  encodePrompt,
  type Problem,
  type Tokenizer,
} from "../../../data/index.js";
import type { SampledRow, SamplerContext } from "../sampler.js";

/** A completion while it is written, by whomever. A value: what goes on with it makes another one. */
export interface OpenRow {
  /** Index into the problems. */
  readonly problem: number;
  /** Index among the completions of its problem; the two name its random numbers. */
  readonly sample: number;
  readonly prompt: string;
  readonly promptIds: readonly number[];
  /** What its writer is shown, where that is another prompt. */
  readonly shownPrompt?: string | undefined;
  readonly tokens: readonly WrittenToken[];
  /** Nothing more is written to it. */
  readonly finished: boolean;
  readonly source: string;
  readonly budget?: number | undefined;
  readonly keyStep?: SampledRow["keyStep"];
}

export interface WrittenToken {
  readonly id: number;
  /** Under the model that wrote it; absent for tokens of the data, of rules and of tools. */
  readonly logProb?: number;
  readonly own: 0 | 1;
  readonly learned: 0 | 1;
}

export type RowPlace = Pick<OpenRow, "problem" | "sample">;

/** A row with nothing written to it. */
export function openRow(
  { tokenizer }: Pick<SamplerContext, "tokenizer">,
  { prompt }: Pick<Problem, "prompt">,
  place: RowPlace,
  more: Pick<OpenRow, "source"> & Partial<OpenRow>,
): OpenRow {
  const text = more.prompt ?? prompt;
  const promptIds = encodePrompt(tokenizer, text);
  return { ...place, tokens: [], finished: false, ...more, prompt: text, promptIds };
}

/** As many rows of every problem, in the order of the problems. */
export function openRows(
  context: Pick<SamplerContext, "tokenizer">,
  problems: readonly Problem[],
  samplesPerProblem: number,
  more: (problem: Problem, place: RowPlace) => Pick<OpenRow, "source"> & Partial<OpenRow>,
): OpenRow[] {
  return problems.flatMap((problem, index) =>
    Array.from({ length: samplesPerProblem }, (_, sample) => {
      const place = { problem: index, sample };
      return openRow(context, problem, place, more(problem, place));
    }),
  );
}

/** What is written so far. */
export function textOf({ tokenizer }: { readonly tokenizer: Tokenizer }, row: OpenRow): string {
  return decodeCompletion(tokenizer, row.promptIds, idsOf(row));
}

export function idsOf({ tokens }: Pick<OpenRow, "tokens">): number[] {
  return tokens.map(({ id }) => id);
}

/**
 * The row with a text behind it that nobody's model wrote. Its tokens are those that the whole text
 * has, where that leaves what was written before as it is.
 */
export function appendText(
  context: Pick<SamplerContext, "tokenizer">,
  row: OpenRow,
  text: string,
  { finished = false, learned = 1 }: { readonly finished?: boolean; readonly learned?: 0 | 1 } = {},
): OpenRow {
  const { tokenizer } = context;
  const before = [...row.promptIds, ...idsOf(row)];
  const joint = encodePrompt(tokenizer, row.prompt + textOf(context, row) + text);
  const isPrefix = before.every((id, i) => joint[i] === id);
  const ids = isPrefix ? joint.slice(before.length) : tokenizer.encode(text);
  const endId = tokenizer.endIds[0];
  if (finished && endId !== undefined) ids.push(endId);
  const added = ids.map((id): WrittenToken => ({ id, own: 0, learned }));
  return { ...row, tokens: [...row.tokens, ...added], finished };
}

/** The row without its end token, to be gone on with. */
export function reopen({ tokenizer }: Pick<SamplerContext, "tokenizer">, row: OpenRow): OpenRow {
  const last = row.tokens.at(-1)?.id;
  const hasEnd = last !== undefined && tokenizer.endIds.includes(last);
  return { ...row, tokens: hasEnd ? row.tokens.slice(0, -1) : row.tokens, finished: false };
}

/**
 * The row cut back to the first `length` characters, as far as whole tokens go, and the characters
 * that are missing then: those of a token that is cut through.
 */
export function cutBack(
  context: Pick<SamplerContext, "tokenizer">,
  row: OpenRow,
  length: number,
): { readonly row: OpenRow; readonly missing: string } {
  const text = textOf(context, row);
  const reach = (count: number) =>
    textOf(context, { ...row, tokens: row.tokens.slice(0, count) }).length;
  // Text only grows with tokens: the most of them that do not go beyond.
  let low = 0;
  let high = row.tokens.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (reach(middle) <= length) low = middle;
    else high = middle - 1;
  }
  const kept = reopen(context, { ...row, tokens: row.tokens.slice(0, low) });
  return { row: kept, missing: text.slice(textOf(context, kept).length, length) };
}

/** The row as samplers give it. */
export function closeRow(row: OpenRow): SampledRow {
  const { tokens, problem, prompt, promptIds, finished, source } = row;
  const logProbs = tokens.flatMap(({ logProb }) => logProb ?? []);
  const { budget, keyStep, shownPrompt } = row;
  return {
    ...{ problem, prompt, promptIds, finished, source, completionIds: idsOf(row) },
    tokenLogProbs: tokens.map(({ own, logProb = 0 }) => (own === 1 ? logProb : 0)),
    own: tokens.map(({ own }) => own),
    ...(tokens.some(({ learned }) => learned === 0)
      ? { learned: tokens.map(({ learned }) => learned) }
      : {}),
    ...(logProbs.length === tokens.length ? { writerLogProbs: logProbs } : {}),
    ...(budget === undefined ? {} : { budget }),
    ...(keyStep === undefined ? {} : { keyStep }),
    ...(shownPrompt === undefined ? {} : { shownPrompt }),
  };
}
