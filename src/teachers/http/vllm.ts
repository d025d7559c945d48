import {
  asId,
  asIds,
  asListOf,
  asLogProb,
  asObject,
  checkAgreement,
  checkCount,
  checkToken,
  type JsonObject,
  type ListedToken,
  onlyChoice,
  positionScore,
  WrongAnswer,
  withoutExtraToken,
} from "./check-answer.js";
import { likeliestTokens, type PositionScore, type TeacherProtocol } from "./protocol.js";

/**
 * vLLM's `/v1/completions` with `prompt_logprobs`: for each position of the prompt an object from
 * token id to `{logprob, rank, decoded_token}` of the K likeliest and of the token itself, null for
 * the first. It is read by ids alone, as objects have no order. −∞ arrives as −9999.
 */
export const vllmProtocol: TeacherProtocol = {
  path: "/v1/completions",
  gives: likeliestTokens,
  needsModel: true,
  score: async ({ ids, positions, topK }, { model, vocabSize, post }) => {
    const question = {
      model,
      prompt: ids,
      max_tokens: 1,
      temperature: 0,
      prompt_logprobs: topK,
      return_token_ids: true,
    };
    const answer = await post(question, ids.length * (topK + 2));
    const { choice, usage } = parts(answer);
    checkCount(usage.prompt_tokens, ids.length, "usage.prompt_tokens");
    if (choice.prompt_token_ids != null) {
      const echoed = asListOf(ids.length, choice.prompt_token_ids, "prompt_token_ids");
      for (const [p, id] of echoed.entries()) checkToken(id, ids[p] as number, `position ${p}`);
    }
    const all = asListOf(ids.length, choice.prompt_logprobs, "prompt_logprobs");
    if (all[0] !== null) throw new WrongAnswer("position 0", "null", all[0]);
    const scores = positions.map((p) =>
      readPosition(all[p], ids[p] as number, topK, vocabSize, `position ${p}`),
    );
    // Also where nothing is learned: a list that belongs to another position shows there too.
    for (let p = 1; p < ids.length; p++) checkPosition(all[p], ids[p] as number, topK, p);
    return scores;
  },
  complete: async (query, { model, vocabSize, post }) => {
    const question = {
      model,
      prompt: query.promptIds,
      max_tokens: query.maxNewTokens,
      temperature: query.temperature,
      top_p: query.topP,
      top_k: query.topK === 0 ? -1 : query.topK,
      min_p: 0,
      repetition_penalty: 1,
      seed: query.seed,
      stop_token_ids: query.endIds,
      return_token_ids: true,
    };
    const answer = await post(question, query.maxNewTokens);
    const { choice } = parts(answer);
    if (choice.token_ids == null) {
      throw new WrongAnswer("token_ids", "a list", "nothing", "Ids need vLLM 0.10.2 or later.");
    }
    return asIds(choice.token_ids, vocabSize, "token_ids");
  },
};

function parts(answer: unknown): { choice: JsonObject; usage: JsonObject } {
  const { choices, usage } = asObject(answer, "the answer");
  return { choice: onlyChoice(choices), usage: asObject(usage ?? {}, "usage") };
}

function isWithout(tokenId: number, others: readonly string[], where: string): WrongAnswer {
  return new WrongAnswer(where, `token ${tokenId} among others`, others.join(", "));
}

/** Whether the token itself is in the list of a position, and in agreement with the others. */
function checkPosition(value: unknown, tokenId: number, topK: number, p: number): void {
  const ofPosition = asObject(value, `position ${p}`);
  if (ofPosition[String(tokenId)] === undefined) {
    throw isWithout(tokenId, Object.keys(ofPosition), `position ${p}`);
  }
  const listed = Object.entries(ofPosition).flatMap(([key, entry]): ListedToken[] => {
    const logProb = (entry as JsonObject | null)?.["logprob"];
    return typeof logProb === "number" ? [{ id: Number(key), logProb }] : [];
  });
  const own = listed.find(({ id }) => id === tokenId);
  if (own === undefined || listed.length !== topK + 1) return;
  const others = listed.filter((entry) => entry !== own);
  checkAgreement(others, tokenId, own.logProb, `position ${p}`);
}

function readPosition(
  value: unknown,
  tokenId: number,
  topK: number,
  vocabSize: number,
  where: string,
): PositionScore {
  const ranks = new Map<number, number>();
  const listed = Object.entries(asObject(value, where)).map(([key, entry]): ListedToken => {
    const { logprob, rank, decoded_token: text } = asObject(entry, `${where}, token ${key}`);
    // Number("") is 0, Number("0x1f") 31: only what JSON writes for an integer is one.
    const id = asId(/^(0|[1-9]\d*)$/.test(key) ? Number(key) : `"${key}"`, vocabSize, where);
    if (typeof rank === "number") ranks.set(id, rank);
    return {
      id,
      logProb: asLogProb(logprob, `${where}, token ${key}`),
      text: typeof text === "string" ? text : undefined,
    };
  });
  const own = listed.find(({ id }) => id === tokenId);
  if (own === undefined) throw isWithout(tokenId, Object.keys(asObject(value, where)), where);
  // The token itself must not pass for one of the likeliest where one of those is missing.
  const likeliest = withoutExtraToken(listed, tokenId, topK, where).filter(
    ({ id }) => (ranks.get(id) ?? 0) <= topK,
  );
  return positionScore(likeliest, tokenId, own.logProb, topK, where);
}
