import {
  asId,
  asIds,
  asList,
  asListOf,
  asLogProb,
  asObject,
  checkCount,
  checkToken,
  type JsonObject,
  type ListedToken,
  positionScore,
  WrongAnswer,
} from "./check-answer.js";
import {
  likeliestTokens,
  type PositionScore,
  type ScoreQuery,
  type ServerAccess,
  type TeacherProtocol,
} from "./protocol.js";

/** So far above all logits that the token is certain; the probabilities are those before it. */
const certain = 1e6;

/**
 * llama.cpp's own `/completion`, which has probabilities of generated tokens only: one request per
 * position, each generating the one token that stands there, forced by `logit_bias`. `n_probs` are
 * those of the model before any bias or sampling. The server keeps the prefix of a sequence in its
 * cache, so that a request costs one token of computing, and one round trip.
 *
 * A token that is part of a UTF-8 character comes without probabilities. There the first end id, or
 * id 0, is forced in its place and the token is looked up in the whole vocabulary.
 */
export const llamaCppProtocol: TeacherProtocol = {
  path: "/completion",
  gives: likeliestTokens,
  needsModel: false,
  score: async (query, server) => {
    const scores: PositionScore[] = [];
    // In order, so that each prompt is the last one and one token more.
    for (const position of query.positions) {
      scores.push(await scorePosition(position, query, server));
    }
    return scores;
  },
  complete: async (query, { vocabSize, post }) => {
    const question = {
      prompt: query.promptIds,
      n_predict: query.maxNewTokens,
      samplers: ["temperature", "top_k", "top_p"],
      temperature: query.temperature,
      top_k: query.topK,
      top_p: query.topP,
      seed: query.seed,
      cache_prompt: true,
      return_tokens: true,
    };
    const answer = await post(question, query.maxNewTokens);
    return asIds(asObject(answer, "the answer").tokens, vocabSize, "tokens");
  },
};

async function scorePosition(
  position: number,
  { ids, topK }: ScoreQuery,
  server: ServerAccess,
): Promise<PositionScore> {
  const where = `position ${position}`;
  const prompt = ids.slice(0, position);
  const tokenId = ids[position] as number;
  const own = await generate(prompt, tokenId, topK, server, where);
  if (own !== undefined) {
    const listed = readTokens(own.top_logprobs, server.vocabSize, where);
    return positionScore(listed, tokenId, asLogProb(own.logprob, where), topK, where);
  }
  const { tokenizer, vocabSize } = server;
  const other = await generate(prompt, tokenizer.endIds[0] ?? 0, vocabSize, server, where);
  const everything = readTokens(other?.top_logprobs, vocabSize, where);
  const found = everything.find(({ id }) => id === tokenId);
  if (found === undefined) {
    throw new WrongAnswer(where, `token ${tokenId}`, `${everything.length} others`);
  }
  const likeliest = everything.sort((a, b) => b.logProb - a.logProb).slice(0, topK);
  return positionScore(likeliest, tokenId, found.logProb, topK, where);
}

/** The probabilities where one given token is generated; undefined where the server has none. */
async function generate(
  prompt: readonly number[],
  tokenId: number,
  topK: number,
  { post, vocabSize }: ServerAccess,
  where: string,
): Promise<JsonObject | undefined> {
  const question = {
    prompt,
    n_predict: 1,
    n_probs: topK,
    temperature: 0,
    logit_bias: [[tokenId, certain]],
    post_sampling_probs: false,
    cache_prompt: true,
    return_tokens: true,
  };
  const answer = asObject(await post(question, topK + 1), "the answer");
  if (answer.truncated === true) {
    const remedy = "Start it with a larger context (-c), or shorten the rows.";
    throw new WrongAnswer(where, "the whole prompt", "truncated: true", remedy);
  }
  checkCount(answer.tokens_evaluated, prompt.length, `${where}, tokens_evaluated`);
  const generated = asIds(answer.tokens, vocabSize, `${where}, tokens`);
  if (generated.length !== 1) {
    throw new WrongAnswer(where, "1 generated token", `${generated.length}`);
  }
  checkToken(generated[0], tokenId, where);
  if (answer.completion_probabilities === undefined) return undefined;
  const entries = `${where}, completion_probabilities`;
  const [entry] = asListOf(1, answer.completion_probabilities, entries);
  const probabilities = asObject(entry, `${where}, completion_probabilities[0]`);
  checkToken(probabilities.id, tokenId, where);
  return probabilities;
}

function readTokens(value: unknown, vocabSize: number, where: string): ListedToken[] {
  return asList(value, `${where}, top_logprobs`).map((entry) => {
    const { id, logprob, token } = asObject(entry, `${where}, top_logprobs`);
    return {
      id: asId(id, vocabSize, where),
      logProb: asLogProb(logprob, `${where}, token ${String(id)}`),
      text: typeof token === "string" ? token : undefined,
    };
  });
}
