import { encodePrompt, type Problem } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";
import { contextLength, type LanguageModel } from "../../../models/index.js";
import type { Rollout } from "../../sample-rollouts.js";
import { sampleRollouts } from "../../sample-rollouts.js";
import type { SamplingPolicy } from "../../sampling-policy.js";
import { addCosts, noCost, type SamplerContext, type SamplingCost } from "../sampler.js";
import { appendText, idsOf, type OpenRow, textOf, type WrittenToken } from "./open-row.js";

/** Who of the models writes. */
export type Writer = "student" | "teacher";

/** Rows per forward pass. */
export const rowsPerPass = 64;

export interface WriteOptions {
  readonly by: Writer;
  /** Names the random numbers: one that goes on with a row again takes another name. */
  readonly purpose: string;
  /** Default: the context's. */
  readonly policy?: SamplingPolicy | undefined;
  /** Whether the world answers to actions; what it says is not learned. Default: no. */
  readonly tools?: boolean;
}

export interface WrittenRows {
  readonly rows: readonly OpenRow[];
  readonly cost: SamplingCost;
}

/**
 * Lets a model go on with rows until they end or have `maxNewTokens` tokens. Rows that are finished
 * stay as they are. The tokens of a row depend on its prompt, on what is written, on its place and on
 * the purpose, not on other rows.
 */
export async function writeOn(
  problems: readonly Problem[],
  rows: readonly OpenRow[],
  options: WriteOptions,
  context: SamplerContext,
): Promise<WrittenRows> {
  const written = [...rows];
  let cost = noCost;
  let waiting = rows.flatMap((row, index) => (hasRoom(row, options.by, context) ? [index] : []));
  for (let turn = 0; waiting.length > 0; turn++) {
    const acting: number[] = [];
    for (let start = 0; start < waiting.length; start += rowsPerPass) {
      const part = waiting.slice(start, start + rowsPerPass);
      const begun = part.map((index) => written[index] as OpenRow);
      const rollouts = await sample(problems, begun, { ...options, turn }, context);
      for (const [i, index] of part.entries()) {
        const before = begun[i] as OpenRow;
        const after = withRollout(before, rollouts[i] as Rollout, options.by);
        const answer = options.tools === true ? answerTo(problems, after, context) : undefined;
        const told =
          answer === undefined ? after : appendText(context, after, answer, { learned: 0 });
        written[index] = told;
        if (answer !== undefined && hasRoom(told, options.by, context)) acting.push(index);
      }
      cost = addCosts(cost, writingCost(options.by, rollouts));
      context.report?.(part.length);
    }
    waiting = acting;
  }
  return { rows: written, cost };
}

/** What tokens that a model writes cost: each is one of a pass of its own. */
function writingCost(by: Writer, rollouts: readonly Rollout[]): SamplingCost {
  const tokens = rollouts.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
  return by === "student"
    ? { ...noCost, studentTokens: tokens, studentForwards: tokens }
    : { ...noCost, teacherTokens: tokens, teacherForwards: tokens };
}

/** What is paid for tokens that a teacher without a model writes. */
export function textCost(before: OpenRow, after: OpenRow): SamplingCost {
  return { ...noCost, teacherTokens: Math.max(0, after.tokens.length - before.tokens.length) };
}

/** @throws PupilError if there is no such model */
export function modelOf(by: Writer, context: SamplerContext): LanguageModel {
  const model = context[by];
  if (model !== undefined) return model;
  throw new PupilError(`there is no ${by} that could write.`, {
    field: "sampler",
    remedy: `Give it: "${by}": "<model folder>".`,
  });
}

/** What the writer of a row reads before what is written. */
export function shownIds(
  { promptIds, shownPrompt }: OpenRow,
  { tokenizer }: Pick<SamplerContext, "tokenizer">,
): readonly number[] {
  return shownPrompt === undefined ? promptIds : encodePrompt(tokenizer, shownPrompt);
}

/** Whether a row that was begun can be gone on with; a bare prompt that is too long is an error later. */
function hasRoom(row: OpenRow, by: Writer, context: SamplerContext): boolean {
  if (row.finished || row.tokens.length >= context.maxNewTokens) return false;
  if (row.tokens.length === 0) return true;
  const limit = Math.min(
    contextLength(modelOf(by, context).config),
    context.maxPositions ?? Infinity,
  );
  return shownIds(row, context).length + row.tokens.length <= limit;
}

function sample(
  problems: readonly Problem[],
  rows: readonly OpenRow[],
  { by, purpose, policy, tools, turn }: WriteOptions & { readonly turn: number },
  context: SamplerContext,
): Promise<Rollout[]> {
  const { tokenizer, maxNewTokens, maxPositions, random } = context;
  const { endIds, padId } = tokenizer;
  const grown = (row: OpenRow, ids: readonly number[]): OpenRow => ({
    ...row,
    tokens: [...row.tokens, ...ids.map((id): WrittenToken => ({ id, own: 0, learned: 1 }))],
  });
  return sampleRollouts({
    ...{ model: modelOf(by, context), endIds, padId, maxNewTokens, maxPositions },
    prompts: rows.map((row) => [...shownIds(row, context), ...idsOf(row)]),
    policy: policy ?? context.policy,
    random: random.stream(by, purpose, turn),
    sequenceIds: rows.map(sequenceId),
    stopsAt: (index, ids) => {
      const row = rows[index] as OpenRow;
      if (row.tokens.length + ids.length >= maxNewTokens) return true;
      return tools === true && answerTo(problems, grown(row, ids), context) !== undefined;
    },
  });
}

/** Far apart, so that more completions of a problem do not rename those of the next. */
export function sequenceId({
  problem,
  sample: index,
}: Pick<OpenRow, "problem" | "sample">): number {
  return problem * 0x1_0000 + index;
}

function answerTo(
  problems: readonly Problem[],
  row: OpenRow,
  context: SamplerContext,
): string | undefined {
  if (row.finished) return undefined;
  return context.problems.respond?.(problems[row.problem] as Problem, textOf(context, row));
}

function withRollout(row: OpenRow, rollout: Rollout, by: Writer): OpenRow {
  // There is no ratio to form where the writer was shown something else.
  const own = by === "student" && row.shownPrompt === undefined ? 1 : 0;
  const added = rollout.completionIds.map(
    (id, i): WrittenToken => ({ id, logProb: rollout.tokenLogProbs[i] as number, own, learned: 1 }),
  );
  return { ...row, tokens: [...row.tokens, ...added], finished: rollout.finished };
}
