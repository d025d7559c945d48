import { PupilError } from "../../errors/index.js";
import {
  asLogProb,
  asObject,
  checkCount,
  checkToken,
  type JsonObject,
  type ListedToken,
  positionScore,
  WrongAnswer,
  checkAgreement,
  onlyChoice,
  withoutExtraToken,
} from "./check-answer.js";
import {
  likeliestTokens,
  type PositionScore,
  type ServerAccess,
  type TeacherProtocol,
} from "./protocol.js";
import { type TokenTexts, tokenTexts } from "./token-texts.js";

/**
 * Any `/v1/completions` that repeats the prompt (`echo`) with `logprobs`: lists of token texts, of
 * their log-probabilities, and of objects from text to log-probability of the K likeliest, to which
 * some servers add the token itself. Texts are turned into ids with the tokenizer; one that could
 * be several ids is an error, as is an echo that is not the tokens that were sent. Servers that put
 * start ids before a text may leave them out of the echo; the token after them then has no
 * log-probability.
 */
export const openaiProtocol: TeacherProtocol = {
  path: "/v1/completions",
  gives: likeliestTokens,
  needsModel: true,
  score: async ({ ids, positions, topK }, server) => {
    const question = {
      model: server.model,
      prompt: server.sendAs === "ids" ? ids : asText(ids, server),
      max_tokens: 1,
      temperature: 0,
      echo: true,
      logprobs: topK,
    };
    const answer = await server.post(question, (ids.length + 1) * (topK + 2));
    const texts = tokenTexts(server.tokenizer);
    const { startIds } = server.tokenizer;
    const logprobs = readLogprobs(answer, ids, startIds, texts);
    for (const [p, id] of ids.slice(logprobs.start).entries()) {
      const text = logprobs.tokens[p];
      if (!isToken(text, id, texts))
        checkToken(text, id, `position ${logprobs.start + p}`, otherTokens);
    }
    const scores = positions.map((p) => readPosition(logprobs, p, ids[p] as number, topK, texts));
    for (let p = logprobs.start + 1; p < ids.length; p++) {
      checkPosition(logprobs, p, ids[p] as number, topK, texts);
    }
    return scores;
  },
};

function isToken(text: unknown, id: number | undefined, texts: TokenTexts): boolean {
  return typeof text === "string" && id !== undefined && texts.canBe(text, id);
}

interface Logprobs {
  /** Position of the first entries. */
  readonly start: number;
  readonly tokens: readonly unknown[];
  readonly tokenLogprobs: readonly unknown[];
  readonly topLogprobs: readonly unknown[];
}

const otherTokens =
  "The server made other tokens of the prompt: its tokenizer is not teacher.tokenizer, or it was sent as text and is better sent as ids (teacher.sendAs).";

const notEchoed =
  "The server does not repeat the prompt with its log-probabilities (llama.cpp's and many hosted ones do not): use another server or, for vLLM, SGLang and llama.cpp, teacher.server.";

function readLogprobs(
  answer: unknown,
  ids: readonly number[],
  startIds: readonly number[],
  texts: TokenTexts,
): Logprobs {
  const { choices, usage } = asObject(answer, "the answer");
  const where = "choices[0].logprobs";
  const choice = onlyChoice(choices);
  if (choice.logprobs == null) throw new WrongAnswer(where, "an object", "nothing", notEchoed);
  const logprobs = asObject(choice.logprobs, where);
  checkCount(
    asObject(usage ?? {}, "usage").prompt_tokens,
    ids.length,
    "usage.prompt_tokens",
    otherTokens,
  );
  const first = Array.isArray(logprobs.tokens) ? (logprobs.tokens as unknown[])[0] : undefined;
  const isWithoutStart =
    startIds.every((id, i) => ids[i] === id) &&
    !isToken(first, ids[0], texts) &&
    isToken(first, ids[startIds.length], texts);
  const start = isWithoutStart ? startIds.length : 0;
  const length = ids.length - start;
  const echoed = (name: string): readonly unknown[] => {
    const list = logprobs[name];
    // The prompt's tokens, and the one that had to be generated.
    if (Array.isArray(list) && (list.length === length || list.length === length + 1)) return list;
    const got = Array.isArray(list) ? `${list.length} entries` : list;
    throw new WrongAnswer(`${where}.${name}`, `${length} or ${length + 1} entries`, got, notEchoed);
  };
  const tokenLogprobs = echoed("token_logprobs");
  if (tokenLogprobs[0] != null) {
    // Nothing stands before the first token: a number there is that of the next.
    throw new WrongAnswer(`${where}.token_logprobs[0]`, "null", tokenLogprobs[0]);
  }
  return { start, tokens: echoed("tokens"), tokenLogprobs, topLogprobs: echoed("top_logprobs") };
}

function readPosition(
  { start, tokenLogprobs, topLogprobs }: Logprobs,
  p: number,
  tokenId: number,
  topK: number,
  texts: TokenTexts,
): PositionScore {
  const where = `position ${p}`;
  const top: JsonObject = asObject(topLogprobs[p - start], where);
  const listed = Object.entries(top).map(([text, logProb]): ListedToken => {
    const id = texts.canBe(text, tokenId) ? tokenId : onlyId(text, texts, where);
    return { id, logProb: asLogProb(logProb, `${where}, ${JSON.stringify(text)}`) };
  });
  const likeliest = withoutExtraToken(listed, tokenId, topK, where);
  const own = asLogProb(tokenLogprobs[p - start], where);
  return positionScore(likeliest, tokenId, own, topK, where);
}

/** Agreement at a position that nobody asked about, as far as it has numbers: a shift shows there too. */
function checkPosition(
  { start, tokenLogprobs, topLogprobs }: Logprobs,
  p: number,
  tokenId: number,
  topK: number,
  texts: TokenTexts,
): void {
  const own = tokenLogprobs[p - start];
  const top = topLogprobs[p - start];
  if (typeof own !== "number" || typeof top !== "object" || top === null) return;
  const listed = Object.entries(top).flatMap(([text, logProb]): ListedToken[] => {
    if (typeof logProb !== "number") return [];
    // Which other token it is does not matter here.
    return [{ id: texts.canBe(text, tokenId) ? tokenId : -1, logProb }];
  });
  // One more than asked for: the token itself, which is then not one of the likeliest.
  const others = listed.length > topK ? listed.filter(({ id }) => id !== tokenId) : listed;
  checkAgreement(others, tokenId, Math.min(0, own), `position ${p}`);
}

function onlyId(text: string, texts: TokenTexts, where: string): number {
  const ids = texts.idsOf(text);
  if (ids.length === 1) return ids[0] as number;
  throw new WrongAnswer(
    where,
    ids.length === 0 ? "the text of a token" : `a text of one token (not of ${ids.join(", ")})`,
    JSON.stringify(text),
    "Servers that answer with ids (vllm, sglang, llama.cpp) do not have this problem.",
  );
}

/** The ids as text, where the text gives the ids back; the server puts the start ids before it. */
function asText(ids: readonly number[], { tokenizer }: ServerAccess): string {
  const text = tokenizer.decode(ids);
  const again = [...tokenizer.startIds, ...tokenizer.encode(text)];
  if (again.length === ids.length && again.every((id, i) => id === ids[i])) return text;
  throw new PupilError("The tokens cannot be sent as text: it would be other tokens.", {
    field: "teacher.sendAs",
    value: text,
    remedy: 'Set sendAs to "ids" if the server takes token ids.',
  });
}
