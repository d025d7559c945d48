import { PupilError } from "../../errors/index.js";
import type { LearnedChat } from "../chat/encode-chat.js";
import { chatField, isMasked, toolsField } from "../chat/messages.js";
import { type DataRow, type WantedFields } from "../readers/reader.js";
import type { Example } from "../types.js";
import { hasField, requireField, textField } from "./field-path.js";

/** Names of the fields that hold what is learned; which of them are given decides how. */
export interface RowFields {
  readonly prompt?: string | undefined;
  readonly completion?: string | undefined;
  /** The final answer. Default: a field called `answer`, in the rows that have one. */
  readonly answer?: string | undefined;
  readonly messages?: string | undefined;
  /** Tools of a chat. Default: a field called `tools`, in the rows that have one. */
  readonly tools?: string | undefined;
  readonly text?: string | undefined;
  /** A name for the row in messages. Default: file and line. */
  readonly id?: string | undefined;
}

/** A chat to learn from; as a prompt alone, one that the student goes on with. */
export interface ChatExample extends LearnedChat {
  readonly isPrompt?: true;
  readonly answer?: string;
}

/** A prompt without a completion: a student writes one. */
export interface PromptExample {
  readonly prompt: string;
  readonly completion?: undefined;
  readonly answer?: string;
  readonly shownPrompt?: string;
}

/** A row of data as an example, with its name. */
export interface NamedExample {
  readonly example: Example | PromptExample | ChatExample;
  readonly id: string;
}

interface RowShape {
  /** The fields that this shape reads, with the names they have unless the config says otherwise. */
  readonly defaults: Readonly<Partial<Record<keyof RowFields, string>>>;
  read(row: DataRow, fields: RowFields, separator: string): NamedExample["example"];
}

const text = (row: DataRow, fields: RowFields, role: keyof RowFields, fallback: string) =>
  textField(row, fields[role] ?? fallback, role);

export const rowShapes = {
  /**
   * `prompt` and `completion`: the completion is learned. Both are text, or both messages. With
   * `"finish_reason": "length"` or `"finished": false` no end is learned; parts of a text that
   * `"unlearned": [[from, to], …]` names by their characters are only read. `"shownPrompt"` is what
   * the writer of the completion was shown in place of the prompt.
   */
  pair: {
    defaults: { prompt: "prompt", completion: "completion" },
    read(row, fields, separator) {
      const { prompt = "prompt", completion = "completion" } = fields;
      const lists = [prompt, completion].filter((name, i) =>
        Array.isArray(requireField(row, name, i === 0 ? "prompt" : "completion")),
      );
      if (lists.length === 0) {
        return {
          prompt: text(row, fields, "prompt", "prompt") + separator,
          completion: text(row, fields, "completion", "completion"),
          ...(isCutOff(row) ? { finished: false } : {}),
          ...unlearnedOf(row),
          ...shownPromptOf(row),
        };
      }
      return continuedChat(row, { fields, prompt, answer: completion, separator });
    },
  },
  /** `messages`: the assistant's turns are learned. */
  chat: {
    defaults: { messages: "messages" },
    read: (row, fields) => learnedChat(row, fields, fields.messages ?? "messages"),
  },
  /** `text`: all of it is learned. */
  text: {
    defaults: { text: "text" },
    read: (row, fields) => ({ prompt: "", completion: text(row, fields, "text", "text") }),
  },
  /** `prompt` alone: for students that write the completion themselves. */
  prompt: {
    defaults: { prompt: "prompt" },
    read(row, fields, separator) {
      const { prompt = "prompt" } = fields;
      if (hasField(row, "completion")) {
        throw new PupilError('has a "completion", and the first row has none.', {
          field: row.where,
          remedy: "Give every row a completion, or none.",
        });
      }
      if (!Array.isArray(requireField(row, prompt, "prompt"))) {
        return {
          prompt: text(row, fields, "prompt", "prompt") + separator,
          ...shownPromptOf(row),
        };
      }
      return { ...promptChat(row, fields, prompt, separator), isPrompt: true };
    },
  },
} as const satisfies Record<string, RowShape>;

/** As servers say of a completion that their limit on its length cut off. */
export const cutOff = { finish_reason: "length" } as const;

function isCutOff({ row }: DataRow): boolean {
  const says = (name: string, value: unknown) => Object.hasOwn(row, name) && row[name] === value;
  return says("finish_reason", cutOff.finish_reason) || says("finished", false);
}

/** @throws PupilError for what is no list of parts */
function unlearnedOf({ row, where }: DataRow): Pick<Example, "unlearned"> {
  if (!Object.hasOwn(row, "unlearned")) return {};
  const value = row["unlearned"];
  const isPart = (part: unknown): part is [number, number] =>
    Array.isArray(part) && part.length === 2 && part.every((end) => Number.isInteger(Number(end)));
  if (Array.isArray(value) && value.every(isPart)) {
    return { unlearned: value.map(([from, to]) => [Number(from), Number(to)] as const) };
  }
  throw new PupilError("has no list of parts in the field unlearned.", {
    field: where,
    value,
    remedy: "Write it as [[from, to], …], in characters of the completion, or leave it out.",
  });
}

/** @throws PupilError for what is no text */
function shownPromptOf(row: DataRow): Pick<Example, "shownPrompt"> {
  if (!Object.hasOwn(row.row, "shownPrompt")) return {};
  return { shownPrompt: textField(row, "shownPrompt", "shownPrompt") };
}

export type RowShapeName = keyof typeof rowShapes;

const shapes = Object.entries(rowShapes) as [RowShapeName, RowShape][];

/** A chat whose turns are learned, but for those that are masked. */
export function learnedChat(
  row: DataRow,
  fields: Pick<RowFields, "tools">,
  path: string,
): ChatExample {
  const messages = chatField(row, path);
  const isLearned = messages.map((message, i) => !isMasked(message, `${path}.${i}`, row));
  return {
    messages,
    ...toolsOf(row, fields),
    ...(isLearned.includes(false) ? { isLearned } : {}),
  };
}

function toolsOf(row: DataRow, fields: Pick<RowFields, "tools">): Pick<ChatExample, "tools"> {
  const tools = toolsField(row, fields.tools ?? "tools");
  return tools === undefined ? {} : { tools };
}

function promptChat(
  row: DataRow,
  fields: Pick<RowFields, "tools">,
  path: string,
  separator: string,
): ChatExample {
  if (separator === "")
    return { messages: chatField(row, path, "prompt"), ...toolsOf(row, fields) };
  throw new PupilError("separates prompts of text, and these are lists of messages.", {
    field: "data.separator",
    value: separator,
    remedy: "Leave separator out: the chat template says what stands between turns.",
  });
}

interface ContinuedFields {
  readonly fields: Pick<RowFields, "tools">;
  readonly prompt: string;
  readonly answer: string;
  readonly separator: string;
}

/**
 * The messages of a prompt and of what follows it, of which only the latter are learned.
 *
 * @throws PupilError naming file, line and field, also where one of the two is no list of messages
 */
export function continuedChat(
  row: DataRow,
  { fields, prompt, answer, separator }: ContinuedFields,
): ChatExample {
  const before = promptChat(row, fields, prompt, separator);
  const after = learnedChat(row, fields, answer);
  const learned = after.isLearned ?? after.messages.map(() => true);
  return {
    ...before,
    messages: [...before.messages, ...after.messages],
    isLearned: [...before.messages.map(() => false), ...learned],
  };
}

/**
 * How rows are read: the shape of the given fields, or else that of the first row's usual names.
 *
 * @throws PupilError for fields of different shapes, and for a row of none
 */
export function shapeOf(row: DataRow, fields: RowFields): RowShapeName {
  const { given, possible } = shapesOf(fields);
  const nameOf = (role: keyof RowFields, { defaults }: RowShape) => fields[role] ?? defaults[role];
  const found = possible.find(([, shape]) =>
    rolesOf(shape.defaults).every((role) => hasField(row, nameOf(role, shape) as string)),
  );
  if (found !== undefined) return found[0];
  // The fields say what the rows should be: reading them says what is missing.
  if (given.length > 0) return (possible[0] as [RowShapeName, RowShape])[0];
  const names = Object.keys(row.row);
  throw new PupilError("has no prompt and completion, no messages, no text and no prompt.", {
    field: row.where,
    value: names,
    remedy: `Its fields are: ${names.join(", ") || "none"}. Set data.fields, such as fields.prompt and fields.completion, fields.messages or fields.text, to those to learn from.${row.hint === undefined ? "" : ` ${row.hint}`}`,
  });
}

/** The roles that fields are given for, and the shapes that have them all. */
function shapesOf(fields: RowFields) {
  const roles = new Set(shapes.flatMap(([, { defaults }]) => rolesOf(defaults)));
  const given = [...roles].filter((role) => fields[role]);
  const possible = shapes.filter(([, { defaults }]) =>
    given.every((role) => rolesOf(defaults).includes(role)),
  );
  return { given, possible };
}

/** The shape of given fields where they leave no choice. @throws PupilError where they fit none */
export function shapeOfFields(fields: RowFields): RowShapeName | undefined {
  const { given, possible } = shapesOf(fields);
  if (given.length === 0) return undefined;
  if (possible.length > 0) return possible.length === 1 ? possible[0]?.[0] : undefined;
  throw new PupilError(`has ${given.join(" and ")}, which belong to different kinds of rows.`, {
    field: "data.fields",
    value: fields,
    remedy: "Give prompt and completion, or messages, or text, or prompt alone.",
  });
}

/** A row as an example. @throws PupilError naming file, line and field */
export function exampleOfRow(
  row: DataRow,
  shape: RowShapeName,
  fields: RowFields,
  separator = "",
): NamedExample {
  const { read, defaults }: RowShape = rowShapes[shape];
  const example = read(row, fields, separator);
  const answer = answerOf(row, fields, Object.values({ ...defaults, ...fields }));
  const id =
    fields.id === undefined ? row.where : textField(row, fields.id, "id", { numbers: true });
  return { example: answer === undefined ? example : { ...example, answer }, id };
}

function answerOf(row: DataRow, fields: RowFields, taken: readonly unknown[]): string | undefined {
  const name = fields.answer ?? "answer";
  // A field that is the completion already would be no short, checkable answer.
  const isOptional = fields.answer === undefined;
  if (isOptional && (taken.includes(name) || !hasField(row, name))) return undefined;
  return textField(row, name, "answer", { numbers: true });
}

/** Fields that say something about the completion of a row. */
const marks = ["finish_reason", "finished", "unlearned", "shownPrompt"];

/** The fields that rows of a shape are read for. */
export function fieldsWanted(fields: RowFields, shape: RowShapeName): WantedFields {
  const { defaults }: RowShape = rowShapes[shape];
  const { answer, tools, ...others } = fields;
  const named = answer === undefined ? others : { ...others, answer };
  const required = Object.values({ ...defaults, ...named }).filter((path) => path !== undefined);
  return {
    required,
    optional: [...(answer === undefined ? ["answer"] : []), tools ?? "tools", ...marks],
  };
}

function rolesOf(defaults: RowShape["defaults"]): (keyof RowFields)[] {
  return Object.keys(defaults) as (keyof RowFields)[];
}
