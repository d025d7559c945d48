import { PupilError } from "../../errors/index.js";
import type { TokenSequence, Tokenizer } from "../types.js";
import type { ChatTemplate, Span } from "./chat-template.js";
import type { Chat } from "./messages.js";

export const learnedTurns = ["all", "last"] as const;
/** Which of the assistant's turns are learned. */
export type LearnedTurns = (typeof learnedTurns)[number];

/** A chat, and which of its turns are only read. */
export interface LearnedChat extends Chat {
  /** For each message whether it is learned where it is the assistant's. Default: all are. */
  readonly isLearned?: readonly boolean[];
}

/**
 * A chat as one row of which the assistant's turns are learned, each with the token that ends it;
 * `learned` says which ids those are. Turns after the last learned one teach nothing and are left
 * out. Undefined where there is none.
 *
 * The turns are found by the template's `{% generation %}` markers, or else by rendering the chat up
 * to each turn. The ids of everything before a turn are those that a student gets when it has to
 * write that turn. Text that the template writes after an end token is not learned.
 *
 * @throws PupilError if a template without markers renders a turn differently once others follow, or
 *   one with markers does not mark every turn of the assistant
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  { messages, tools, isLearned = [] }: LearnedChat,
  learn: LearnedTurns,
): TokenSequence | undefined {
  const all = [...messages.keys()].filter((i) => messages[i]?.role === "assistant");
  const wanted = all.filter((i) => isLearned[i] !== false);
  const turns = learn === "last" ? wanted.slice(-1) : wanted;
  const last = turns.at(-1);
  if (last === undefined) return undefined;
  const chat: Chat = { messages: messages.slice(0, last + 1), ...(tools && { tools }) };
  const found = template.renderMarked
    ? markedTurns(
        template.renderMarked(chat),
        all.filter((i) => i <= last),
        turns,
      )
    : findTurns(template, chat, turns, learn);
  return encodeSpans(tokenizer, found.text, found.spans);
}

interface FoundTurns {
  readonly text: string;
  readonly spans: readonly Span[];
}

/** Of the marked spans those of the turns that are learned. */
function markedTurns(
  { text, spans }: FoundTurns,
  assistant: readonly number[],
  turns: readonly number[],
): FoundTurns {
  if (turns.length === assistant.length) return { text, spans };
  if (spans.length === assistant.length) {
    return { text, spans: turns.map((turn) => spans[assistant.indexOf(turn)] as Span) };
  }
  throw new PupilError(
    `The chat template marks ${spans.length} parts of a chat in which the assistant has ${assistant.length} turns, so the turns to learn cannot be told from the others.`,
    {
      field: "data.chatTemplate",
      remedy:
        "Put {% generation %} and {% endgeneration %} once around each turn of the assistant.",
    },
  );
}

function findTurns(
  template: ChatTemplate,
  chat: Chat,
  turns: readonly number[],
  learn: LearnedTurns,
): FoundTurns {
  const text = template.render(chat);
  const upTo = (end: number): Chat => ({ ...chat, messages: chat.messages.slice(0, end) });
  const spans = turns.map((turn): Span => {
    const before = template.render(upTo(turn), true);
    const after = template.render(upTo(turn + 1));
    if (text.startsWith(after) && after.startsWith(before) && after.length > before.length) {
      return { start: before.length, end: after.length };
    }
    throw notStable(turn, text.startsWith(after) ? [before, after] : [after, text], learn);
  });
  return { text, spans };
}

/** Of the shorter text, which should begin the longer one, where it does not. */
function notStable(
  turn: number,
  [shorter, longer]: readonly [string, string],
  learn: LearnedTurns,
): PupilError {
  let at = 0;
  while (at < shorter.length && shorter[at] === longer[at]) at += 1;
  const part = (text: string) => JSON.stringify(text.slice(at, at + 24));
  return new PupilError(
    `The chat template renders message ${turn} differently in the whole chat than at its end (${part(shorter)} becomes ${part(longer)}), so its tokens cannot be told from the others.`,
    {
      field: "data.chatTemplate",
      remedy:
        learn === "all"
          ? 'Set data.learn to "last", or give a template with {% generation %} markers.'
          : "Give a template with {% generation %} markers around the assistant's text.",
    },
  );
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
