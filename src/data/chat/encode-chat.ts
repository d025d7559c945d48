import { PupilError } from "../../errors/index.js";
import type { TokenSequence, Tokenizer } from "../types.js";
import type { ChatTemplate, Span } from "./chat-template.js";
import type { ChatMessage } from "./messages.js";

export const learnedTurns = ["all", "last"] as const;
/** Which of the assistant's turns are learned. */
export type LearnedTurns = (typeof learnedTurns)[number];

/**
 * A chat as one row of which the assistant's turns are learned, each with the token that ends it;
 * `learned` says which ids those are. Turns after the assistant's last one teach nothing and are left
 * out. Undefined where the assistant says nothing.
 *
 * The turns are found by the template's `{% generation %}` markers, or else by rendering the chat up
 * to each turn. The ids of everything before a turn are those that a student gets when it has to
 * write that turn. Text that the template writes after an end token is not learned.
 *
 * @throws PupilError if a template without markers renders a turn differently once others follow
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  learn: LearnedTurns,
): TokenSequence | undefined {
  const last = messages.findLastIndex(({ role }) => role === "assistant");
  if (last < 0) return undefined;
  const chat = messages.slice(0, last + 1);
  const { text, spans } = template.renderMarked?.(chat) ?? findTurns(template, chat, learn);
  const wanted = learn === "last" ? spans.slice(-1) : spans;
  return encodeSpans(tokenizer, text, wanted);
}

function findTurns(
  template: ChatTemplate,
  chat: readonly ChatMessage[],
  learn: LearnedTurns,
): { text: string; spans: Span[] } {
  const text = template.render(chat);
  const turns = [...chat.keys()].filter((i) => chat[i]?.role === "assistant");
  const spans = (learn === "last" ? turns.slice(-1) : turns).map((turn): Span => {
    const before = template.render(chat.slice(0, turn), true);
    const after = template.render(chat.slice(0, turn + 1));
    if (text.startsWith(after) && after.startsWith(before) && after.length > before.length) {
      return { start: before.length, end: after.length };
    }
    throw new PupilError(
      `The chat template renders message ${turn} differently in the whole chat than at its end, so its tokens cannot be told from the others.`,
      {
        field: "data.chatTemplate",
        remedy:
          learn === "all"
            ? 'Set data.learn to "last", or give a template with {% generation %} markers.'
            : "Give a template with {% generation %} markers around the assistant's text.",
      },
    );
  });
  return { text, spans };
}

/** Encodes a text whose spans are learned. */
function encodeSpans(
  tokenizer: Tokenizer,
  text: string,
  spans: readonly Span[],
): TokenSequence | undefined {
  let ids: number[] = [];
  const learned: number[] = [];
  const encodeTo = (end: number, from: number, bit: 0 | 1): void => {
    if (end === from) return;
    // As for prompt and completion: together where that leaves the ids before unchanged.
    const joint = tokenizer.encode(text.slice(0, end));
    const isPrefix = ids.every((id, i) => joint[i] === id);
    ids = isPrefix ? joint : [...ids, ...tokenizer.encode(text.slice(from, end))];
    while (learned.length < ids.length) learned.push(bit);
  };
  let position = 0;
  for (const { start, end } of spans) {
    encodeTo(start, position, 0);
    const first = ids.length;
    encodeTo(end, start, 1);
    dropAfterEnd(tokenizer.endIds, ids, learned, first);
    position = end;
  }
  encodeTo(text.length, position, 0);
  learnEnds(tokenizer.endIds, ids, learned);
  appendEnd(tokenizer.endIds, ids, learned);
  if (learned.length > 0) learned[0] = 0;
  const completionStart = learned.indexOf(1);
  return completionStart < 0 ? undefined : { ids, completionStart, learned };
}

/** A student stops at the end token: what the template writes after it is never sampled. */
function dropAfterEnd(
  endIds: readonly number[],
  ids: readonly number[],
  learned: number[],
  first: number,
): void {
  const end = ids.findLastIndex((id, i) => i >= first && endIds.includes(id));
  if (end >= 0) learned.fill(0, end + 1);
}

/** End tokens that markers leave out, though they follow a turn. */
function learnEnds(endIds: readonly number[], ids: readonly number[], learned: number[]): void {
  const isEnd = (at: number) => endIds.includes(ids[at] as number);
  for (let at = 1; at < ids.length; at++) {
    if (learned[at - 1] === 1 && !isEnd(at - 1) && isEnd(at)) learned[at] = 1;
  }
}

/** The end of the last turn, where the template does not write one. */
function appendEnd(endIds: readonly number[], ids: number[], learned: number[]): void {
  const [endId] = endIds;
  const lastLearned = learned.lastIndexOf(1);
  if (endId === undefined || lastLearned < 0) return;
  if (endIds.includes(ids[lastLearned] as number)) return;
  ids.length = lastLearned + 1;
  learned.length = lastLearned + 1;
  ids.push(endId);
  learned.push(1);
}
