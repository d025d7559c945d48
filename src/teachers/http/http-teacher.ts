import { z } from "zod";
import {
  type Batch,
  learnedPositions,
  type Tokenizer,
  type TokenSequence,
} from "../../data/index.js";
import { parseConfig, PupilError, requireMember, requireObject } from "../../errors/index.js";
import type { Rollout } from "../../rollouts/index.js";
import type { Random } from "../../tensors/index.js";
import { hostScores } from "../score-source.js";
import { placeScores, type SequenceScores } from "../sequence-scores.js";
import type { CompleteOptions, Teacher } from "../teacher.js";
import { explainWrongAnswer, WrongAnswer } from "./check-answer.js";
import { concealer } from "./conceal.js";
import { checkTexts, probeIds } from "./probe.js";
import type { PositionScore, ServerAccess } from "./protocol.js";
import { teacherProtocols, type TeacherServer, teacherServers } from "./protocols.js";
import { largestAnswer } from "./read-body.js";
import { type RequestOptions, requestSender } from "./send-request.js";
import { together } from "./together.js";

export interface HttpTeacherOptions extends Omit<RequestOptions, "url" | "random"> {
  readonly server: TeacherServer;
  /** Without the path of the API; a `/v1` at its end makes no difference. */
  readonly url: string;
  /** As the server names it. */
  readonly model?: string | undefined;
  /** Of the server's model. */
  readonly tokenizer: Tokenizer;
  /** Rows of the student's vocabulary: every id that the server names must have one. */
  readonly vocabSize: number;
  /** How many of the likeliest tokens of every position. */
  readonly topK: number;
  /** Default: ids. */
  readonly sendAs?: "ids" | "text";
  readonly maxPositions?: number | undefined;
  readonly random: Random;
}

/** The options that are numbers and names; for callers without a type checker. */
const plainOptions = z.object({
  server: z.enum(teacherServers),
  url: z.string().min(1),
  model: z.string().optional(),
  vocabSize: z.int().min(1),
  topK: z.int().min(1),
  sendAs: z.enum(["ids", "text"]).optional(),
  maxPositions: z.int().min(2).optional(),
  timeoutMs: z.number().positive(),
  retries: z.int().min(0),
  retryDelayMs: z.number().min(0),
  concurrency: z.int().min(1),
});

function checkOptions(options: HttpTeacherOptions): void {
  requireObject(options, {
    field: "httpTeacher",
    remedy: "Use: httpTeacher({ server, url, tokenizer, vocabSize, topK, random, … }).",
  });
  // A message, and what is thrown with it, never has the key.
  parseConfig(plainOptions, { ...options, apiKey: undefined }, "httpTeacher");
  requireMember(options.tokenizer, "encode", {
    field: "httpTeacher: tokenizer",
    remedy: "Give it the tokenizer of the server's model: await loadTokenizer(path).",
  });
  requireMember(options.random, "stream", {
    field: "httpTeacher: random",
    remedy: "Give it random numbers: new Random(1).",
  });
}

/** A teacher on a server. */
export interface HttpTeacher extends Teacher {
  /**
   * Asks about one token, so that a wrong address, key, model, tokenizer or `topK` is found before
   * a run starts.
   */
  probe(): Promise<void>;
}

/**
 * A teacher on a server, asked for the likeliest tokens of every learned position of given tokens:
 * one request per sequence (llama.cpp: per position). Where one fails, the others are cancelled.
 *
 * @throws PupilError for an option that is missing or wrong; from `score` and `probe`, naming the sequence and the position of a wrong
 *   answer, or the failure of a request
 */
export function httpTeacher(options: HttpTeacherOptions): HttpTeacher {
  checkOptions(options);
  const { server, model, tokenizer, vocabSize, topK, apiKey, maxPositions } = options;
  const protocol = teacherProtocols[server];
  const url = `${options.url.replace(/\/+$/, "").replace(/\/v1$/, "")}${protocol.path}`;
  const send = requestSender({ ...options, url });
  const conceal = concealer(apiKey);
  const name = `${model ?? server} at ${options.url}`;

  const access = (signal: AbortSignal): ServerAccess => ({
    model: model ?? "",
    tokenizer,
    vocabSize,
    sendAs: options.sendAs ?? "ids",
    post: (body, entries) => send(body, signal, largestAnswer(entries * bytesPerEntry)),
  });
  const explain = (error: unknown, about: string) =>
    explainWrongAnswer(error, `A wrong answer of the ${server} server about ${about}`, {
      ...{ url, conceal },
    });
  const scoreSequence = async (sequence: TokenSequence, index: number, signal: AbortSignal) => {
    const { ids } = sequence;
    const positions = learnedPositions(sequence);
    if (positions.length === 0) return scoresOf(ids, positions, [], topK);
    try {
      const scores = await protocol.score({ ids, positions, topK }, access(signal));
      return scoresOf(ids, positions, scores, topK);
    } catch (error) {
      throw explain(error, sequence.id ?? `sequence ${index + 1} of the batch`);
    }
  };
  const completeOne = async (
    promptIds: readonly number[],
    index: number,
    how: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Rollout> => {
    const row = how.sequenceIds?.[index] ?? index;
    const { policy, endIds } = how;
    const room = (maxPositions ?? Infinity) - promptIds.length;
    const maxNewTokens = Math.min(how.maxNewTokens, room);
    try {
      const ids = await protocol.complete?.(
        {
          promptIds,
          endIds,
          maxNewTokens,
          temperature: policy.greedy ? 0 : policy.samplingTemperature,
          topK: policy.topK,
          topP: policy.topP,
          // Servers want 31 bits.
          seed: how.random.stream("complete", row).nextUint32() >>> 1,
        },
        access(signal),
      );
      if (ids !== undefined && ids.length > maxNewTokens) {
        throw new WrongAnswer("the completion", `at most ${maxNewTokens} tokens`, `${ids.length}`);
      }
      const { completionIds, finished } = untilEnd(ids ?? [], endIds);
      const sequence = {
        ids: [...promptIds, ...completionIds],
        completionStart: promptIds.length,
      };
      // Asked again, because the log-probabilities of sampling may be those of another temperature.
      const { tokenLogProbs } = await scoreSequence(sequence, index, signal);
      const own = Array.from(tokenLogProbs as ArrayLike<number>).slice(promptIds.length - 1);
      return { promptIds, completionIds, tokenLogProbs: own, finished };
    } catch (error) {
      throw explain(error, `the completion of prompt ${index + 1}`);
    }
  };

  return {
    name,
    vocabSize,
    ...(maxPositions === undefined ? {} : { maxPositions }),
    provides: protocol.gives,
    score: async (batch: Batch) => {
      const scores = await together(batch.sequences, scoreSequence);
      return hostScores(() => placeScores(batch, scores, topK));
    },
    ...(protocol.complete === undefined
      ? {}
      : {
          complete: (prompts, how) =>
            together(prompts, (prompt, i, signal) => completeOne(prompt, i, how, signal)),
        }),
    probe: async () => {
      const ids = probeIds(tokenizer);
      const beyond = ids.find((id) => id >= vocabSize);
      if (beyond !== undefined) {
        const problem = `has the id ${beyond}, but the vocabulary has ${vocabSize} rows.`;
        throw new PupilError(`The tokenizer of the server's model ${problem}`, {
          field: "teacher.tokenizer",
          value: beyond,
          remedy: "Give the tokenizer of the server's model, or of a student with its vocabulary.",
        });
      }
      const { signal } = new AbortController();
      try {
        const query = { ids, positions: [ids.length - 1], topK, texts: true };
        const [score] = await protocol.score(query, access(signal));
        checkTexts(score as PositionScore, tokenizer);
      } catch (error) {
        throw explain(error, "a sequence to try it out");
      }
    },
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

/** Far above what servers write about a token: its id, text, bytes and numbers. */
const bytesPerEntry = 1024;

/** With distinct ids of no weight where nothing is learned. */
function scoresOf(
  ids: readonly number[],
  positions: readonly number[],
  scores: readonly PositionScore[],
  K: number,
): SequenceScores {
  const count = Math.max(0, ids.length - 1);
  const tokenLogProbs = new Float32Array(count).fill(-1);
  const tokenIds = Int32Array.from({ length: count * K }, (_, i) => i % K);
  const topLogProbs = new Float32Array(count * K).fill(-100);
  for (const [i, p] of positions.entries()) {
    const score = scores[i] as PositionScore;
    tokenLogProbs[p - 1] = score.tokenLogProb;
    tokenIds.set(score.tokenIds, (p - 1) * K);
    topLogProbs.set(score.logProbs, (p - 1) * K);
  }
  return { tokenLogProbs, tokenIds, topLogProbs };
}

/** Servers know their model's own end token and may write past others. */
function untilEnd(
  ids: readonly number[],
  endIds: readonly number[],
): { completionIds: readonly number[]; finished: boolean } {
  const end = ids.findIndex((id) => endIds.includes(id));
  return end < 0
    ? { completionIds: ids, finished: false }
    : { completionIds: ids.slice(0, end + 1), finished: true };
}
