import * as tf from "@tensorflow/tfjs-core";
import { learnedPositions, type Tokenizer } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { linear, tokenLogProbs } from "../../ops/index.js";
import { readValues } from "../../tensors/index.js";
import {
  asListOf,
  asLogProb,
  asObject,
  checkToken,
  explainWrongAnswer,
  type JsonObject,
  smallestLogProb,
  WrongAnswer,
} from "../http/check-answer.js";
import { concealer } from "../http/conceal.js";
import { checkTexts } from "../http/probe.js";
import { largestAnswer } from "../http/read-body.js";
import { type RequestOptions, requestSender } from "../http/send-request.js";
import { together } from "../http/together.js";
import type { HeadValues } from "../recorded/index.js";
import type { HiddenStatesSource } from "./hidden-states-teacher.js";
import { base64Length, decodeStates, type StateDtype, stateBytes } from "./state-bytes.js";

export interface HttpStatesOptions extends Omit<RequestOptions, "url"> {
  /** Without the path. */
  readonly url: string;
  /** As the server names it, where it has several. */
  readonly model?: string | undefined;
  /** Of the server's model, with its tokenizer: what the answers must fit. */
  readonly head: HeadValues;
  readonly tokenizer: Tokenizer;
  /** How the numbers are sent. */
  readonly dtype: StateDtype;
  readonly maxPositions?: number | undefined;
}

/** Hidden states on a server. */
export interface HttpStates extends HiddenStatesSource {
  /**
   * Asks about a few tokens and for the log-probabilities that the server's own head gives them, so
   * that another head, tokenizer or layer, or states of other positions, are found before a run starts.
   */
  probe(): Promise<void>;
}

const path = "/v1/hidden-states";

/** The server's precision may be bfloat16, another head is off by several nats. */
const allowedDifference = (logProb: number) => 0.1 + 0.02 * Math.abs(logProb);

const wrongHead = "teacher.head must be the folder of the server's model.";

/** Of an id or a number in JSON, with what is around it. */
const bytesPerNumber = 32;

/**
 * Hidden states of given tokens from a server that speaks the protocol of `docs/teachers-hidden-states.md`:
 * one request per sequence. Where one fails, the others are cancelled.
 *
 * @throws PupilError from `states` and `probe`, naming the sequence and what of an answer is wrong, or the
 *   failure of a request
 */
export function httpStates(options: HttpStatesOptions): HttpStates {
  const { model, head, tokenizer, dtype, maxPositions } = options;
  const url = `${options.url.replace(/\/+$/, "").replace(/\/v1$/, "")}${path}`;
  const send = requestSender({ ...options, url });
  const conceal = concealer(options.apiKey);
  const explain = (error: unknown, about: string) =>
    explainWrongAnswer(error, `A wrong answer of the hidden-states server about ${about}`, {
      ...{ url, conceal },
    });

  /** States after `ids[0 … p]` for every p of `positions`. */
  const ask = async (
    ids: readonly number[],
    positions: readonly number[],
    signal: AbortSignal,
    check = false,
  ): Promise<{ states: Float32Array; answer: JsonObject }> => {
    const question = {
      ...(model === undefined ? {} : { model }),
      ...{ input_ids: ids, positions, dtype, check },
    };
    const bytes = base64Length(positions.length * head.hiddenSize * stateBytes[dtype]);
    const others = (2 * ids.length + 2 * positions.length) * bytesPerNumber;
    const answer = asObject(
      await send(question, signal, largestAnswer(bytes + others)),
      "the answer",
    );
    checkFacts(answer, head, dtype);
    const echoed = asListOf(ids.length, answer["input_ids"], "input_ids");
    for (const [p, id] of echoed.entries()) checkToken(id, ids[p] as number, `position ${p}`);
    const where = asListOf(positions.length, answer["positions"], "positions");
    for (const [i, position] of where.entries()) {
      if (position === positions[i]) continue;
      throw new WrongAnswer(`positions[${i}]`, `${positions[i]}`, position);
    }
    const states = decodeStates(answer["states"], positions.length, head.hiddenSize, dtype);
    return { states, answer };
  };

  return {
    name: `${model ?? "hidden states"} at ${options.url}`,
    ...(maxPositions === undefined ? {} : { maxPositions }),
    states: (sequences) =>
      together(sequences, async (sequence, index, signal) => {
        const positions = learnedPositions(sequence).map((position) => position - 1);
        if (positions.length === 0) return new Float32Array(0);
        try {
          return (await ask(sequence.ids, positions, signal)).states;
        } catch (error) {
          throw explain(error, sequence.id ?? `sequence ${index + 1} of the batch`);
        }
      }),
    probe: async () => {
      const ids = idsToTry(tokenizer, head, maxPositions);
      const positions = ids.slice(1).map((_, p) => p);
      try {
        const { signal } = new AbortController();
        const { states, answer } = await ask(ids, positions, signal, true);
        const texts = asListOf(ids.length, answer["token_texts"], "token_texts").map((text) =>
          typeof text === "string" ? text : undefined,
        );
        checkTexts({ tokenIds: ids, texts }, tokenizer);
        const theirs = asListOf(positions.length, answer["token_log_probs"], "token_log_probs");
        const ours = await logProbsHere(states, ids, head);
        for (const [i, value] of theirs.entries()) {
          const where = `token_log_probs[${i}]`;
          const logProb = asLogProb(value, where);
          const here = Math.max(smallestLogProb, ours[i] as number);
          if (Math.abs(logProb - here) <= allowedDifference(logProb)) continue;
          throw new WrongAnswer(
            where,
            `${here.toFixed(3)}, which the states and the head of teacher.head give token ${ids[i + 1]}`,
            logProb.toFixed(3),
            `${wrongHead} The states must be those after the final norm, which the head reads, of the positions that were asked for.`,
          );
        }
      } catch (error) {
        throw explain(error, "a sequence to try it out");
      }
    },
  };
}

function checkFacts(answer: JsonObject, head: HeadValues, dtype: StateDtype): void {
  if (answer["dtype"] !== dtype) throw new WrongAnswer("dtype", dtype, answer["dtype"]);
  for (const [field, expected] of [
    ["hidden_size", head.hiddenSize],
    ["vocab_size", head.vocabSize],
  ] as const) {
    if (answer[field] === expected) continue;
    throw new WrongAnswer(field, `${expected}, as the head has`, answer[field], wrongHead);
  }
}

/** A few ids from all over the vocabulary. */
function idsToTry(tokenizer: Tokenizer, head: HeadValues, maxPositions = Infinity): number[] {
  const { vocabSize, startIds } = tokenizer;
  if (vocabSize > head.vocabSize) {
    throw new PupilError(`The head has ${head.vocabSize} rows, its tokenizer ${vocabSize} ids.`, {
      field: "teacher.head",
      remedy: "Give the folder of a model with its own tokenizer.",
    });
  }
  const count = Math.min(8, vocabSize);
  const spread = Array.from({ length: count }, (_, i) =>
    Math.floor(((i + 0.5) * vocabSize) / count),
  );
  return [...startIds, ...spread].slice(0, Math.min(maxPositions, startIds.length + count));
}

/** log P of each id after the first, as states and head say it. */
async function logProbsHere(
  states: Float32Array,
  ids: readonly number[],
  { values, vocabSize, hiddenSize }: HeadValues,
): Promise<ArrayLike<number>> {
  const result = tf.tidy(() => {
    const hidden = tf.tensor3d(states, [1, ids.length - 1, hiddenSize]);
    const logits = linear(hidden, tf.tensor2d(values, [vocabSize, hiddenSize])) as tf.Tensor3D;
    const labels = tf.tensor2d(ids.slice(1), [1, ids.length - 1], "int32");
    return tokenLogProbs(logits, labels);
  });
  return readValues(result, "float32");
}
