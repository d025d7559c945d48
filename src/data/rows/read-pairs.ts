import { PupilError } from "../../errors/index.js";
import { type ChatTemplate, compileChatTemplate } from "../chat/chat-template.js";
import { encodeChat } from "../chat/encode-chat.js";
import type { ChatMessage } from "../chat/messages.js";
import type { DataFile } from "../readers/data-file.js";
import { type DataFormat, readRows } from "../readers/index.js";
import type { DataRow } from "../readers/reader.js";
import { tokenizeExample } from "../text/tokenize.js";
import type { Example, TokenSequence, Tokenizer } from "../types.js";
import { hasField, requireField, textField } from "./field-path.js";
import { type ChatExample, continuedChat, learnedChat } from "./row-shapes.js";

export interface PairFields {
  /** Default: `prompt`; in rows without it, the prompt is what both answers begin with. */
  readonly prompt?: string | undefined;
  readonly positive?: string | undefined;
  readonly negative?: string | undefined;
  readonly tools?: string | undefined;
}

export interface PairOptions {
  readonly format?: DataFormat | undefined;
  readonly delimiter?: string | undefined;
  readonly fields?: PairFields;
  /** Put after every prompt of text, as part of it. */
  readonly separator?: string;
  /** Jinja template for answers that are lists of messages. Default: the tokenizer's own. */
  readonly chatTemplate?: string | undefined;
  /** Most ids of an answer with its prompt. Default: no limit. */
  readonly maxLength?: number | undefined;
}

/** A prompt with each of its two answers, before they are tokens. */
export interface PairExample {
  readonly positive: Example | ChatExample;
  readonly negative: Example | ChatExample;
  /** Where the row stands. */
  readonly id: string;
}

/** A preferred and a rejected answer to one prompt, in tokens. */
export interface AnswerPair {
  readonly positive: TokenSequence;
  readonly negative: TokenSequence;
}

/** What became of the rows. */
export interface PairReport {
  readonly rows: number;
  /** Rows left out because one of their answers is too long. */
  readonly dropped: number;
  /** Rows left out because both answers are the same. */
  readonly equal: number;
}

/**
 * The rows of files as pairs: text, or lists of messages (the prompt too). Without a prompt, both
 * answers begin with it: it is the messages, or the text, that they have in common. So it is where the
 * prompt is text and the answers are messages.
 *
 * @throws PupilError naming file, line and field
 */
export async function* readPairExamples(
  files: Iterable<DataFile>,
  { format, delimiter, fields = {}, separator = "" }: PairOptions = {},
): AsyncGenerator<PairExample> {
  for (const file of files) {
    for await (const row of readRows(file, { format, delimiter })) {
      const { positive = "chosen", negative = "rejected" } = fields;
      const isChat = [positive, negative].some((name, i) =>
        Array.isArray(requireField(row, name, i === 0 ? "positive" : "negative")),
      );
      const read = isChat ? chatPair : textPair;
      yield { ...read(row, { ...fields, positive, negative }, separator), id: row.where };
    }
  }
}

type ReadPair<T> = (
  row: DataRow,
  fields: PairFields & { readonly positive: string; readonly negative: string },
  separator: string,
) => { readonly positive: T; readonly negative: T };

const textPair: ReadPair<Example> = (row, fields, separator) => {
  const positive = textField(row, fields.positive, "positive");
  const negative = textField(row, fields.negative, "negative");
  const name = fields.prompt ?? "prompt";
  if (fields.prompt !== undefined || hasField(row, name)) {
    const prompt = textField(row, name, "prompt") + separator;
    return {
      positive: { prompt, completion: positive, ...cutOffIn(row, fields.positive) },
      negative: { prompt, completion: negative, ...cutOffIn(row, fields.negative) },
    };
  }
  const length = commonText(positive, negative);
  const split = (text: string): Example => ({
    prompt: text.slice(0, length),
    completion: text.slice(length),
  });
  return { positive: split(positive), negative: split(negative) };
};

/** With `"chosenFinished": false`, no end is learned behind the field `chosen`. */
function cutOffIn({ row }: DataRow, field: string): Pick<Example, "finished"> {
  const mark = `${field}Finished`;
  return Object.hasOwn(row, mark) && row[mark] === false ? { finished: false } : {};
}

/** Of what two texts begin with, so much that a space before the first difference is the answers'. */
function commonText(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  // Never between the two units of a character.
  if (/[\ud800-\udbff]$/.test(a.slice(0, length))) length -= 1;
  return a[length - 1] === " " ? length - 1 : length;
}

const chatPair: ReadPair<ChatExample> = (row, fields, separator) => {
  const name = fields.prompt ?? "prompt";
  const { positive, negative } = fields;
  const hasPrompt = fields.prompt !== undefined || hasField(row, name);
  const given = hasPrompt ? requireField(row, name, "prompt") : undefined;
  // A prompt of text beside answers that are whole chats says again what both begin with.
  if (hasPrompt && typeof given !== "string") {
    const answer = (path: string) =>
      continuedChat(row, {
        fields: { tools: fields.tools },
        prompt: name,
        answer: path,
        separator,
      });
    return { positive: answer(positive), negative: answer(negative) };
  }
  const [a, b] = [positive, negative].map((path) => learnedChat(row, fields, path)) as [
    ChatExample,
    ChatExample,
  ];
  const shared = commonMessages(a.messages, b.messages, row);
  if (typeof given === "string") requireIn(given, a.messages.slice(0, shared), name, row);
  const answers = (chat: ChatExample): ChatExample => ({
    ...chat,
    isLearned: chat.messages.map((_, i) => i >= shared && chat.isLearned?.[i] !== false),
  });
  return { positive: answers(a), negative: answers(b) };
};

/** @throws PupilError where the messages that both answers begin with do not say the prompt */
function requireIn(
  prompt: string,
  messages: readonly ChatMessage[],
  name: string,
  { where }: DataRow,
): void {
  if (messages.some(({ content }) => content === prompt)) return;
  throw new PupilError(
    `the field "${name}" is text, and the messages that both answers begin with do not have it.`,
    {
      field: where,
      value: prompt,
      remedy: "Write it as messages, or as the same message of the user in both answers.",
    },
  );
}

function commonMessages(
  a: readonly ChatMessage[],
  b: readonly ChatMessage[],
  { where }: DataRow,
): number {
  try {
    const differ = a.findIndex((message, i) => JSON.stringify(message) !== JSON.stringify(b[i]));
    return differ < 0 ? a.length : differ;
  } catch (cause) {
    // Anything else is a mistake of ours.
    if (!(cause instanceof RangeError)) throw cause;
    throw new PupilError("has a message that is nested too deeply.", { field: where, cause });
  }
}

/**
 * Reads rows with a prompt and two answers. A pair is whole or not there: where one answer is too
 * long, the row is left out and counted.
 *
 * @throws PupilError naming file, line and field, or if no pair is left
 */
export async function readPairs(
  files: Iterable<DataFile>,
  tokenizer: Tokenizer,
  options: PairOptions = {},
): Promise<{ pairs: AnswerPair[]; report: PairReport }> {
  const { chatTemplate, maxLength = Number.POSITIVE_INFINITY } = options;
  const pairs: AnswerPair[] = [];
  const report = { rows: 0, dropped: 0, equal: 0 };
  let template: ChatTemplate | undefined;
  for await (const { positive, negative, id } of readPairExamples(files, options)) {
    report.rows += 1;
    if ("messages" in positive) template ??= await compileChatTemplate(tokenizer, chatTemplate);
    const encode = (answer: Example | ChatExample) => encodeAnswer(tokenizer, template, answer, id);
    const pair = { positive: encode(positive), negative: encode(negative) };
    const isEqual = pair.positive.ids.join() === pair.negative.ids.join();
    const isLong = [pair.positive, pair.negative].some(({ ids }) => ids.length > maxLength);
    if (isEqual) report.equal += 1;
    else if (isLong) report.dropped += 1;
    else pairs.push(pair);
  }
  if (pairs.length === 0) {
    throw new PupilError(
      `None of the ${report.rows} rows is a pair to learn from: ${report.equal} have two equal answers, ${report.dropped} are longer than ${maxLength} tokens.`,
      { field: "data", remedy: "Allow longer rows (maxLength), or check data.fields." },
    );
  }
  return { pairs, report };
}

function encodeAnswer(
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
  answer: Example | ChatExample,
  id: string,
): TokenSequence {
  if (!("messages" in answer)) return { ...tokenizeExample(tokenizer, answer), id };
  try {
    const sequence = encodeChat(tokenizer, template as ChatTemplate, answer, "all");
    if (sequence !== undefined) return { ...sequence, id };
  } catch (cause) {
    if (!(cause instanceof PupilError)) throw cause;
    throw new PupilError(cause.message, { field: id, value: cause.value, cause });
  }
  throw new PupilError("has an answer in which the assistant says nothing that is learned.", {
    field: id,
    value: answer.messages,
    remedy:
      'An answer is a list with a message of the role "assistant"; two equal ones teach nothing.',
  });
}
