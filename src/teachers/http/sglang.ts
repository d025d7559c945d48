import {
  asId,
  asList,
  asListOf,
  asLogProb,
  asObject,
  checkAgreement,
  checkCount,
  checkToken,
  type ListedToken,
  positionScore,
  WrongAnswer,
} from "./check-answer.js";
import { likeliestTokens, type TeacherProtocol } from "./protocol.js";

/**
 * SGLang's `/generate` with `return_logprob`: in `meta_info`, from `logprob_start_len` on, one
 * `[log-probability, id, text]` per token of the input and a list of K of them; the first has none
 * of either. −∞ and NaN arrive as null.
 */
export const sglangProtocol: TeacherProtocol = {
  path: "/generate",
  gives: likeliestTokens,
  needsModel: false,
  score: async ({ ids, positions, topK, texts = false }, { vocabSize, post }) => {
    // The first entry has no log-probability: start one before the first position.
    const start = (positions[0] as number) - 1;
    const question = {
      input_ids: ids,
      sampling_params: { max_new_tokens: 0, temperature: 1 },
      return_logprob: true,
      logprob_start_len: start,
      top_logprobs_num: topK,
      return_text_in_logprobs: texts,
    };
    const answer = await post(question, (ids.length - start) * (topK + 1));
    const meta = asObject(asObject(answer, "the answer").meta_info, "meta_info");
    checkCount(meta.prompt_tokens, ids.length, "meta_info.prompt_tokens");
    const length = ids.length - start;
    const tokens = asListOf(length, meta.input_token_logprobs, "meta_info.input_token_logprobs");
    const tops = asListOf(length, meta.input_top_logprobs, "meta_info.input_top_logprobs");
    for (const [i, entry] of tokens.entries()) {
      const where = `position ${start + i}`;
      const [logProb, id] = asList(entry, where);
      checkToken(id, ids[start + i] as number, where);
      if (i === 0) {
        if (logProb !== null) throw new WrongAnswer(where, "null", logProb);
        if (tops[0] != null) throw new WrongAnswer(`${where}, the list`, "null", tops[0]);
      }
    }
    const scores = positions.map((p) => {
      const where = `position ${p}`;
      const [logProb] = tokens[p - start] as readonly unknown[];
      const listed = asList(tops[p - start], where).map((entry) =>
        readToken(entry, vocabSize, where),
      );
      const own = asLogProb(logProb, where);
      return positionScore(listed, ids[p] as number, own, topK, where);
    });
    for (let p = start + 1; p < ids.length; p++) {
      const [logProb] = tokens[p - start] as readonly unknown[];
      checkPosition(tops[p - start], ids[p] as number, logProb, `position ${p}`);
    }
    return scores;
  },
  complete: async (query, { vocabSize, post }) => {
    const question = {
      input_ids: query.promptIds,
      sampling_params: {
        max_new_tokens: query.maxNewTokens,
        temperature: query.temperature,
        top_p: query.topP,
        top_k: query.topK === 0 ? -1 : query.topK,
        min_p: 0,
        stop_token_ids: query.endIds,
        sampling_seed: query.seed,
      },
      return_logprob: true,
    };
    const answer = await post(question, query.maxNewTokens);
    const where = "meta_info.output_token_logprobs";
    const meta = asObject(asObject(answer, "the answer").meta_info, "meta_info");
    return asList(meta.output_token_logprobs, where).map((entry) =>
      asId(asList(entry, where)[1], vocabSize, where),
    );
  },
};

/** Agreement at a position that nobody asked about, as far as it has numbers: a shift shows there too. */
function checkPosition(top: unknown, tokenId: number, logProb: unknown, where: string): void {
  if (typeof logProb !== "number" || !Array.isArray(top)) return;
  const listed = top.flatMap((entry): ListedToken[] => {
    const [listedLogProb, id] = Array.isArray(entry) ? (entry as unknown[]) : [];
    return typeof listedLogProb === "number" && typeof id === "number"
      ? [{ id, logProb: listedLogProb }]
      : [];
  });
  checkAgreement(listed, tokenId, Math.min(0, logProb), where);
}

function readToken(entry: unknown, vocabSize: number, where: string): ListedToken {
  const [logProb, id, text] = asList(entry, where);
  return {
    id: asId(id, vocabSize, where),
    logProb: asLogProb(logProb, `${where}, token ${String(id)}`),
    text: typeof text === "string" ? text : undefined,
  };
}
