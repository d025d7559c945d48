/** What the fake inference server answers in its four protocols; see fake-teacher-server.ts. */
import { z } from "zod";
import type { Tokenizer } from "../../../src/data/index.js";

/** What the next answer is to be instead of right. */
export type Mistake =
  | "rate-limit"
  | "error"
  | "cut"
  | "closed"
  | "malformed"
  | "html"
  | "slow"
  | "empty"
  | "redirect"
  | "fewer-tokens"
  | "shifted"
  | "fewer-top"
  | "twice"
  | "unknown-id"
  | "not-a-number"
  | "above-one"
  | "mass-above-one"
  | "other-texts"
  | "no-echo";

/** A mistake in what is said about the tokens: other positions than the right ones. */
export type PositionChange = (positions: readonly Position[], vocabSize: number) => Position[];

type Wrong = Mistake | PositionChange | undefined;

/** log P(v | prefix) for every v. */
export function knownLogProbs(prefix: readonly number[], vocabSize: number): number[] {
  const [last = 0, before = 0] = [prefix.at(-1), prefix.at(-2)];
  const logits = Array.from(
    { length: vocabSize },
    (_, v) => 2 * Math.sin(1 + last * 1.7 + before * 0.9 + v * v * 0.61 + v),
  );
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  return logits.map((logit) => logit - Math.log(sum));
}

/** The ids of the K likeliest tokens, likeliest first. */
export function likeliest(logProbs: readonly number[], K: number): number[] {
  return logProbs
    .map((_, id) => id)
    .sort((a, b) => (logProbs[b] as number) - (logProbs[a] as number))
    .slice(0, K);
}

export interface Listed {
  readonly id: number;
  readonly logProb: unknown;
}

export interface Position {
  readonly id: number;
  readonly logProb: unknown;
  readonly top: readonly Listed[];
}

export interface FakeModelOptions {
  readonly tokenizer: Tokenizer;
  /** Refuses larger ones, as vLLM does. Default: 20. */
  readonly largestTopK?: number;
  /** Ids whose probabilities llama.cpp leaves out: parts of UTF-8 characters. */
  readonly partsOfCharacters?: readonly number[];
  readonly model?: string;
}

export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The answer to a body, or a `Refusal`, by path. */
export type FakeRoutes = Readonly<Record<string, (body: unknown, mistake: Wrong) => unknown>>;

export function fakeRoutes(options: FakeModelOptions): FakeRoutes {
  const { tokenizer, largestTopK = 20, model = "fake" } = options;
  const { vocabSize } = tokenizer;

  const id = z
    .int()
    .min(0)
    .max(vocabSize - 1);
  const ids = z.array(id).min(1);
  const topK = z.int().min(1).max(largestTopK);
  const seed = z
    .int()
    .min(0)
    .max(2 ** 31 - 1);

  const scored = (tokens: readonly number[], K: number): Position[] =>
    tokens.map((token, p) => {
      const logProbs = knownLogProbs(tokens.slice(0, p), vocabSize);
      const listed = likeliest(logProbs, K).map((v) => ({ id: v, logProb: logProbs[v] }));
      return { id: token, logProb: logProbs[token], top: listed };
    });
  const textOf = (token: number, mistake: Wrong) =>
    tokenizer.decode([mistake === "other-texts" ? (token + 1) % vocabSize : token]);

  const written = (prompt: readonly number[], count: number, how: Sampling): number[] => {
    const tokens: number[] = [];
    for (let i = 0; i < count; i++) {
      const logProbs = knownLogProbs([...prompt, ...tokens], vocabSize);
      const order = likeliest(logProbs, vocabSize);
      // No random numbers: the seed chooses a rank among the first three.
      const rank = how.temperature === 0 ? 0 : (how.seed + i) % Math.min(3, how.topK || 3);
      const next = order[rank] as number;
      tokens.push(next);
      if (how.endIds.includes(next)) break;
    }
    return tokens;
  };

  const vllm = (body: unknown, mistake: Wrong): unknown => {
    const writing = { top_p: z.number(), top_k: z.int(), min_p: z.literal(0), seed };
    const request = parse(
      z.union([
        z.strictObject({
          model: z.literal(model),
          prompt: ids,
          max_tokens: z.literal(1),
          temperature: z.literal(0),
          prompt_logprobs: topK,
          return_token_ids: z.literal(true),
        }),
        z.strictObject({
          model: z.literal(model),
          prompt: ids,
          max_tokens: z.int().min(1),
          temperature: z.number(),
          ...writing,
          repetition_penalty: z.literal(1),
          stop_token_ids: ids,
          return_token_ids: z.literal(true),
        }),
      ]),
      body,
    );
    const usage = { prompt_tokens: request.prompt.length };
    if (!("prompt_logprobs" in request)) {
      const tokens = written(request.prompt, request.max_tokens, samplingOf(request));
      return { object: "text_completion", choices: [{ index: 0, token_ids: tokens }], usage };
    }
    const positions = changed(scored(request.prompt, request.prompt_logprobs), mistake, vocabSize);
    const prompt_logprobs = positions.map((position, p) => {
      if (p === 0) return null;
      const own = { id: position.id, logProb: position.logProb };
      const entries = [own, ...position.top].map(({ id: token, logProb }, rank) => [
        String(token),
        { logprob: logProb, rank: rank || 99, decoded_token: textOf(token, mistake) },
      ]);
      return Object.fromEntries(entries) as object;
    });
    const choice = {
      index: 0,
      text: "x",
      finish_reason: "length",
      token_ids: [0],
      prompt_logprobs,
    };
    return { object: "text_completion", choices: [choice], usage };
  };

  const openai = (body: unknown, mistake: Wrong): unknown => {
    const request = parse(
      z.strictObject({
        model: z.literal(model),
        prompt: z.union([ids, z.string()]),
        max_tokens: z.literal(1),
        temperature: z.literal(0),
        echo: z.literal(true),
        logprobs: topK,
      }),
      body,
    );
    const { prompt } = request;
    const isText = typeof prompt === "string";
    const tokens = isText ? [...tokenizer.startIds, ...tokenizer.encode(prompt)] : prompt;
    // Like llama-cpp-python, which puts them before a text and does not repeat them.
    const unseen = isText ? tokenizer.startIds.length : 0;
    const [next] = written(tokens, 1, { temperature: 0, seed: 0, topK: 0, endIds: [] });
    const all = [
      ...changed(scored(tokens, request.logprobs), mistake, vocabSize),
      ...scored([...tokens, next as number], request.logprobs).slice(-1),
    ];
    const pieces = piecesOf(tokenizer);
    const text = (token: number) => pieces.get(token) ?? `unknown ${token}`;
    const logprobs = {
      tokens: all.map(({ id: token }) => text(token)),
      token_logprobs: all.map(({ logProb }, p) => (p === 0 ? null : logProb)),
      top_logprobs: all.map(({ id: own, logProb, top }, p) => {
        if (p === 0) return null;
        const entries = [...top, { id: own, logProb }].map((entry) => [
          text(entry.id),
          entry.logProb,
        ]);
        return Object.fromEntries(entries) as object;
      }),
    };
    const dropped = mistake === "no-echo" ? tokens.length : unseen;
    for (const list of Object.values(logprobs)) list.splice(0, dropped);
    if (dropped > 0) logprobs.token_logprobs[0] = null;
    return {
      choices: [{ index: 0, text: "…", logprobs }],
      usage: { prompt_tokens: tokens.length },
    };
  };

  const sglang = (body: unknown, mistake: Wrong): unknown => {
    const request = parse(
      z.union([
        z.strictObject({
          input_ids: ids,
          sampling_params: z.strictObject({
            max_new_tokens: z.literal(0),
            temperature: z.literal(1),
          }),
          return_logprob: z.literal(true),
          logprob_start_len: z.int().min(0),
          top_logprobs_num: topK,
          return_text_in_logprobs: z.boolean(),
        }),
        z.strictObject({
          input_ids: ids,
          sampling_params: z.strictObject({
            max_new_tokens: z.int().min(1),
            temperature: z.number(),
            top_p: z.number(),
            top_k: z.int(),
            min_p: z.literal(0),
            stop_token_ids: ids,
            sampling_seed: seed,
          }),
          return_logprob: z.literal(true),
        }),
      ]),
      body,
    );
    const tokens = request.input_ids;
    const meta = { prompt_tokens: tokens.length, finish_reason: { type: "length" } };
    if (!("top_logprobs_num" in request)) {
      const how = request.sampling_params;
      const sampling = samplingOf({ ...how, seed: how.sampling_seed });
      const output = written(tokens, how.max_new_tokens, sampling);
      const output_token_logprobs = output.map((token) => [-1, token, null]);
      return { text: "x", meta_info: { ...meta, output_token_logprobs } };
    }
    const start = request.logprob_start_len;
    const positions = changed(
      scored(tokens, request.top_logprobs_num).slice(start),
      mistake,
      vocabSize,
    );
    const shown = (token: number) =>
      request.return_text_in_logprobs ? textOf(token, mistake) : null;
    return {
      text: "",
      meta_info: {
        ...meta,
        input_token_logprobs: positions.map(({ id: token, logProb }, i) => [
          i === 0 ? null : logProb,
          token,
          shown(token),
        ]),
        input_top_logprobs: positions.map(({ top }, i) =>
          i === 0 ? null : top.map(({ id: token, logProb }) => [logProb, token, shown(token)]),
        ),
        output_token_logprobs: [],
      },
    };
  };

  const llamaCpp = (body: unknown, mistake: Wrong): unknown => {
    const request = parse(
      z.union([
        z.strictObject({
          prompt: ids,
          n_predict: z.literal(1),
          n_probs: z.int().min(1),
          temperature: z.literal(0),
          logit_bias: z.tuple([z.tuple([id, z.number().min(1000)])]),
          post_sampling_probs: z.literal(false),
          cache_prompt: z.literal(true),
          return_tokens: z.literal(true),
        }),
        z.strictObject({
          prompt: ids,
          n_predict: z.int().min(1),
          samplers: z.array(z.enum(["temperature", "top_k", "top_p"])),
          temperature: z.number(),
          top_k: z.int(),
          top_p: z.number(),
          seed,
          cache_prompt: z.literal(true),
          return_tokens: z.literal(true),
        }),
      ]),
      body,
    );
    const { prompt } = request;
    const common = { content: "x", truncated: false, stop: true };
    if (!("n_probs" in request)) {
      const tokens = written(prompt, request.n_predict, { ...samplingOf(request), endIds: [] });
      return { ...common, tokens, tokens_evaluated: prompt.length };
    }
    const [[forced]] = request.logit_bias;
    const all = scored([...prompt, forced], request.n_probs);
    const [position] = changed(
      [all[0] as Position, all.at(-1) as Position],
      mistake,
      vocabSize,
    ).slice(mistake === "shifted" ? 0 : -1) as [Position];
    const isPart = options.partsOfCharacters?.includes(forced) === true;
    const listed = position.top.map(({ id: token, logProb }) => ({
      id: token,
      token: textOf(token, mistake),
      bytes: [],
      logprob: logProb,
    }));
    const probabilities = { id: position.id, logprob: position.logProb, top_logprobs: listed };
    return {
      ...common,
      tokens: [position.id],
      tokens_evaluated: prompt.length - (mistake === "fewer-tokens" ? 1 : 0),
      ...(isPart ? {} : { completion_probabilities: [probabilities] }),
    };
  };

  return {
    "/v1/completions": (body, mistake) =>
      (body as { echo?: unknown }).echo === undefined ? vllm(body, mistake) : openai(body, mistake),
    "/generate": sglang,
    "/completion": llamaCpp,
  };
}

interface Sampling {
  readonly temperature: number;
  readonly seed: number;
  readonly topK: number;
  readonly endIds: readonly number[];
}

function samplingOf(body: {
  temperature: number;
  seed: number;
  top_k: number;
  stop_token_ids?: number[];
}): Sampling {
  const { temperature, seed, top_k: topK, stop_token_ids: endIds = [] } = body;
  return { temperature, seed, topK: Math.max(0, topK), endIds };
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new Refusal(400, JSON.stringify(result.error.issues));
}

/** Mistakes in what is said about the tokens. */
const tokenMistakes: Partial<
  Record<Mistake, (positions: readonly Position[], vocabSize: number) => Position[]>
> = {
  "fewer-tokens": (positions) => positions.slice(0, -1),
  shifted: ([first, ...rest]) =>
    [first, ...rest.slice(1), { ...rest[0], id: ((rest[0]?.id ?? 0) + 1) % 3 }] as Position[],
  "fewer-top": (positions) => positions.map((p) => ({ ...p, top: p.top.slice(0, -1) })),
  twice: (positions) =>
    positions.map((p) => ({ ...p, top: [p.top[0] as Listed, ...p.top.slice(0, -1)] })),
  "unknown-id": (positions, vocabSize) => withLast(positions, { id: vocabSize, logProb: -9 }),
  "not-a-number": (positions) => positions.map((p) => ({ ...p, logProb: null })),
  "above-one": (positions) => positions.map((p) => ({ ...p, logProb: 0.5 })),
  "mass-above-one": (positions) =>
    positions.map((p) => ({ ...p, top: p.top.map((entry) => ({ ...entry, logProb: -0.01 })) })),
};

function withLast(positions: readonly Position[], last: Listed): Position[] {
  return positions.map((p) => ({ ...p, top: [...p.top.slice(0, -1), last] }));
}

function changed(
  positions: readonly Position[],
  mistake: Wrong,
  vocabSize: number,
): readonly Position[] {
  const change = typeof mistake === "string" ? tokenMistakes[mistake] : mistake;
  return change === undefined ? positions : change(positions, vocabSize);
}

function piecesOf(tokenizer: Tokenizer): Map<number, string> {
  const { model } = tokenizer.toJson() as { model: { vocab: Record<string, number> } };
  return new Map(Object.entries(model.vocab).map(([piece, id]) => [id, piece]));
}
