import * as tf from "@tensorflow/tfjs-core";
import { NotFiniteError, requireMember } from "../errors/index.js";
import type { LanguageModel } from "../models/index.js";
import { sampleTokens } from "../ops/index.js";
import { type Random, readValues } from "../tensors/index.js";
import { checkPrompts } from "./check-prompts.js";
import { type ContextGroup, contextGroups } from "./context-groups.js";
import { looksAt } from "./looks.js";
import { type RowInputs, rowInputs } from "./row-inputs.js";
import { sampleUniforms, uniformsAhead } from "./sample-uniforms.js";
import type { SamplingPolicy } from "./sampling-policy.js";
import { modelSource, type TokenSource, type TokenStream } from "./token-source.js";

/** A prompt and what the model wrote after it. */
export interface Rollout {
  readonly promptIds: readonly number[];
  /** Ends with the end id if one was sampled. */
  readonly completionIds: readonly number[];
  /** Log-probability of every completion token, of the whole distribution at temperature 1. */
  readonly tokenLogProbs: readonly number[];
  /** Whether an end id was sampled; false means that the completion was cut off. */
  readonly finished: boolean;
}

export interface SampleRolloutsOptions extends SampleOptions {
  readonly model: LanguageModel;
}

/** How to sample, whatever the logits come from. */
export interface SampleOptions {
  /** Token ids; at least one each. */
  readonly prompts: readonly (readonly number[])[];
  /** Any of these ends a completion. */
  readonly endIds: readonly number[];
  /** Fills rows; it may equal an end id. */
  readonly padId: number;
  readonly maxNewTokens: number;
  /** Longest sequence, prompt and completion, where it is less than the model's: a teacher's context. */
  readonly maxPositions?: number | undefined;
  readonly policy: SamplingPolicy;
  readonly random: Random;
  /** Names of the rows for their random numbers; by default their index. */
  readonly sequenceIds?: readonly number[];
  /** Asked after every token of a row: whether it goes no further. It is not finished then. */
  readonly stopsAt?: (row: number, completionIds: readonly number[]) => boolean;
}

/**
 * Samples one completion per prompt, in batches: one forward pass over the prompts, then one per
 * token on a KV cache, with one device read each, or for several tokens where the model can sample ahead: for as many as
 * its last completions had.
 * Stops when every row has ended.
 *
 * A completion ends with an end id, after `maxNewTokens`, or where the context is full.
 * Only a sampled end id counts: not one in the prompt, and not padding.
 *
 * The tokens of a row depend on the model, its prompt, the policy, `random` and its sequence id,
 * not on the other rows.
 *
 * @throws PupilError for a prompt that is empty, longer than the context, or has an id outside the
 *   vocabulary; and if the logits are not finite
 */
export async function sampleRollouts(given: SampleRolloutsOptions): Promise<Rollout[]> {
  requireMember(given, "model", {
    field: "sampleRollouts",
    remedy: "Use: sampleRollouts({ model, prompts, … }).",
  });
  const { model, ...options } = given;
  requireMember(model, "forward", {
    field: "sampleRollouts: model",
    remedy: "Give it a model: (await loadModelFolder(path)).model.",
  });
  requireMember(options.random, "stream", {
    field: "sampleRollouts: random",
    remedy: "Give it random numbers: new Random(1).",
  });
  return sampleFrom(modelSource(model), options);
}

/** The same from any source of logits, such as a model in another runtime. */
export async function sampleFrom(source: TokenSource, options: SampleOptions): Promise<Rollout[]> {
  const { prompts, maxNewTokens } = options;
  requireMember(prompts, Symbol.iterator, {
    field: "sampleRollouts: prompts",
    remedy: "Give it lists of token ids: [encodePrompt(tokenizer, text)].",
  });
  const maxPositions = Math.min(source.maxPositions, options.maxPositions ?? Infinity);
  checkPrompts(prompts, { ...source, maxPositions });
  const lengths = prompts.map((prompt) => prompt.length);
  const rollouts: Rollout[] = [];
  for (const group of contextGroups(lengths, maxNewTokens, maxPositions)) {
    const sampled = await sampleGroup(source, options, group);
    for (const [i, row] of group.rows.entries()) rollouts[row] = sampled[i] as Rollout;
  }
  return rollouts;
}

/** A rollout while it grows. */
interface OpenRollout extends Rollout {
  readonly completionIds: number[];
  readonly tokenLogProbs: number[];
  finished: boolean;
  /** Finished or stopped. */
  closed: boolean;
}

async function sampleGroup(
  source: TokenSource,
  { prompts, endIds, padId, policy, random, stopsAt, ...options }: SampleOptions,
  { rows, maxNewTokens }: ContextGroup,
): Promise<Rollout[]> {
  const sequenceIds = rows.map((row) => options.sequenceIds?.[row] ?? row);
  const rollouts = rows.map((row): OpenRollout => {
    const promptIds = prompts[row] as readonly number[];
    return { promptIds, completionIds: [], tokenLogProbs: [], finished: false, closed: false };
  });

  const longest = Math.max(...rollouts.map(({ promptIds }) => promptIds.length));
  // The last token is never fed back.
  const most = source.maxPositions - maxNewTokens + 1;
  const width = source.columnsFor?.(longest, most) ?? longest;
  using stream = source.open(width + maxNewTokens);
  const looks = looksAt(source.writer, maxNewTokens);
  const isOpen = () => rollouts.some((rollout) => !rollout.closed);
  let position = 0;
  while (position < maxNewTokens && isOpen()) {
    const fed = rollouts.map((rollout) => ({ ...rollout, finished: rollout.closed }));
    const inputs = rowInputs(fed, padId, width);
    // Who decides after every token whether to go on is asked after every token.
    const steps = stopsAt ? 1 : looks.next(position, maxNewTokens - position);
    const sampled =
      stream.sampleAhead?.(inputs, { ...policy, steps, endIds, padId }, () =>
        uniformsAhead(random, sequenceIds, position, steps),
      ) ??
      (await sampleOne(stream, inputs, policy, () =>
        sampleUniforms(random, sequenceIds, position),
      ));
    const values = await readValues(sampled, "float32");
    for (let at = 0; at < values.length && isOpen(); at += 2 * rollouts.length, position++) {
      for (const [row, rollout] of rollouts.entries()) {
        if (rollout.closed) continue;
        const id = values[at + row] as number;
        const logProb = values[at + rollouts.length + row] as number;
        if (!Number.isFinite(logProb)) throw notFinite(rows[row] as number, position);
        rollout.completionIds.push(id);
        rollout.tokenLogProbs.push(logProb);
        rollout.finished = endIds.includes(id);
        rollout.closed =
          rollout.finished || stopsAt?.(rows[row] as number, rollout.completionIds) === true;
      }
    }
  }
  if (!stopsAt) looks.end(position);
  return rollouts.map(({ closed: _closed, ...rollout }) => rollout);
}

/** `[2, B]`: ids and log-probabilities of the next tokens. */
async function sampleOne(
  stream: TokenStream,
  inputs: RowInputs,
  policy: SamplingPolicy,
  uniforms: () => tf.Tensor1D,
): Promise<tf.Tensor> {
  const nextLogits = await stream.next(inputs);
  return tf.tidy(() => sampleTokens(nextLogits(), policy, policy.greedy ? undefined : uniforms()));
}

function notFinite(row: number, position: number): NotFiniteError {
  return new NotFiniteError("the model's logits are not finite.", {
    field: `token ${position + 1} of completion ${row + 1}`,
    remedy: "The training has diverged: go back to the last checkpoint, lower the learning rate.",
  });
}
