import { PupilError } from "../../errors/index.js";
import { chatField, type ChatMessage } from "../chat/messages.js";
import type { DataRow, WantedFields } from "../readers/reader.js";
import type { Example } from "../types.js";
import { hasField, textField } from "./field-path.js";

/** Names of the fields that hold what is learned; which of them are given decides how. */
export interface RowFields {
  readonly prompt?: string | undefined;
  readonly completion?: string | undefined;
  /** The final answer. Default: a field called `answer`, in the rows that have one. */
  readonly answer?: string | undefined;
  readonly messages?: string | undefined;
  readonly text?: string | undefined;
  /** A name for the row in messages. Default: file and line. */
  readonly id?: string | undefined;
}

/** A chat to learn from. */
export interface ChatExample {
  readonly messages: readonly ChatMessage[];
  readonly answer?: string;
}

/** A row of data as an example, with its name. */
export interface NamedExample {
  readonly example: Example | ChatExample;
  readonly id: string;
}

interface RowShape {
  /** The fields that this shape reads, with the names they have unless the config says otherwise. */
  readonly defaults: Readonly<Partial<Record<keyof RowFields, string>>>;
  read(row: DataRow, fields: RowFields, separator: string): Example | ChatExample;
}

const text = (row: DataRow, fields: RowFields, role: keyof RowFields, fallback: string) =>
  textField(row, fields[role] ?? fallback, role);

export const rowShapes = {
  /** `prompt` and `completion`: the completion is learned. */
  pair: {
    defaults: { prompt: "prompt", completion: "completion" },
    read: (row, fields, separator) => ({
      prompt: text(row, fields, "prompt", "prompt") + separator,
      completion: text(row, fields, "completion", "completion"),
    }),
  },
  /** `messages`: the assistant's turns are learned. */
  chat: {
    defaults: { messages: "messages" },
    read: (row, fields) => ({ messages: chatField(row, fields.messages ?? "messages") }),
  },
  /** `text`: all of it is learned. */
  text: {
    defaults: { text: "text" },
    read: (row, fields) => ({ prompt: "", completion: text(row, fields, "text", "text") }),
  },
} as const satisfies Record<string, RowShape>;

export type RowShapeName = keyof typeof rowShapes;

const shapes = Object.entries(rowShapes) as [RowShapeName, RowShape][];

/**
 * The shape that the given fields belong to; undefined where none was given. A prompt alone or with
 * fields of another shape is an error.
 */
export function shapeOfFields(fields: RowFields): RowShapeName | undefined {
  const given = shapes.filter(([, { defaults }]) => rolesOf(defaults).some((role) => fields[role]));
  if (given.length < 2) return given[0]?.[0];
  const names = given.flatMap(([, { defaults }]) => rolesOf(defaults).filter((r) => fields[r]));
  throw new PupilError(`has ${names.join(" and ")}, which belong to different kinds of rows.`, {
    field: "data.fields",
    value: fields,
    remedy: "Give prompt and completion, or messages, or text.",
  });
}

/** The shape of a row whose fields have their usual names. */
export function shapeOfRow(row: DataRow): RowShapeName {
  const found = shapes.find(([, { defaults }]) =>
    rolesOf(defaults).every((role) => hasField(row, defaults[role] as string)),
  );
  if (found !== undefined) return found[0];
  const names = Object.keys(row.row);
  throw new PupilError("has no prompt and completion, no messages and no text.", {
    field: row.where,
    value: names,
    remedy: `Its fields are: ${names.join(", ") || "none"}. Set data.fields, such as fields.prompt and fields.completion, fields.messages or fields.text, to those to learn from.`,
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

/** The fields that rows of a shape are read for. */
export function fieldsWanted(fields: RowFields, shape: RowShapeName): WantedFields {
  const { defaults }: RowShape = rowShapes[shape];
  const required = Object.values({ ...defaults, ...fields }).filter((path) => path !== undefined);
  return { required, optional: fields.answer === undefined ? ["answer"] : [] };
}

function rolesOf(defaults: RowShape["defaults"]): (keyof RowFields)[] {
  return Object.keys(defaults) as (keyof RowFields)[];
}
