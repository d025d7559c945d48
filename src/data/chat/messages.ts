import { oneOf, PupilError } from "../../errors/index.js";
import { type DataRow, describeValue } from "../readers/reader.js";
import { isRecord, isWrittenNumber, parseJson } from "../readers/written-number.js";
import { hasField, requireField } from "../rows/field-path.js";

/** One turn of a chat. */
export interface ChatMessage {
  readonly role: string;
  /** A turn that only calls tools has none. */
  readonly content?: string | null;
  /** Whatever else a template reads: `tool_calls`, `reasoning_content`, `name`. */
  readonly [key: string]: unknown;
}

/** A chat as a template gets it. */
export interface Chat {
  readonly messages: readonly ChatMessage[];
  /** Descriptions of the functions that the assistant may call. */
  readonly tools?: readonly unknown[] | null;
}

/** Names of ShareGPT's `from`. */
const shareGptRoles: Readonly<Record<string, string>> = {
  human: "user",
  gpt: "assistant",
  system: "system",
};

/**
 * The chat of a field: a list of `{role, content}`, or of ShareGPT's `{from, value}`. Content may be
 * a list of text parts or null, and may be missing where a turn calls tools. Other keys of a message are
 * kept: templates may read them.
 *
 * @throws PupilError naming file, line and message
 */
export function chatField(row: DataRow, path: string, role = "messages"): ChatMessage[] {
  const value = requireField(row, path, role);
  if (Array.isArray(value)) return value.map((entry, i) => message(entry, `${path}.${i}`, row));
  const isMissing = (value ?? null) === null;
  throw new PupilError(
    isMissing
      ? `the field "${path}" has no list of messages: it is missing or null.`
      : `the field "${path}" is ${describeValue(value)}, not a list of messages.`,
    {
      field: row.where,
      value,
      remedy: isMissing
        ? "Leave such rows out of the data."
        : 'Write [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
    },
  );
}

/**
 * The tools of a row: a list of descriptions, or one as JSON text, as tables hold them; undefined
 * where the row has none.
 *
 * @throws PupilError naming file and line for anything else
 */
export function toolsField(row: DataRow, path: string): readonly unknown[] | undefined {
  if (!hasField(row, path)) return undefined;
  const value = requireField(row, path, "tools");
  if ((value ?? null) === null) return undefined;
  const tools = typeof value === "string" ? jsonOf(value) : value;
  if (Array.isArray(tools)) return tools;
  throw new PupilError(`the field "${path}" is ${describeValue(value)}, not a list of tools.`, {
    field: row.where,
    value,
    remedy: 'Write [{"type": "function", "function": {"name": "…", "parameters": {…}}}].',
  });
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/**
 * Whether a turn is read but not learned: `weight: 0`, or `train: false`.
 *
 * @throws PupilError for a weight that is neither 0 nor 1: a turn is learned or not
 */
export function isMasked(message: ChatMessage, path: string, { where }: DataRow): boolean {
  const { weight, train } = message;
  const fail = (key: string, value: unknown, remedy: string): never => {
    throw new PupilError(`${path}.${key} is ${describeValue(value)}.`, {
      field: where,
      value,
      remedy,
    });
  };
  const number = isWrittenNumber(weight) ? Number(weight.value) : (weight ?? 1);
  if (number !== 0 && number !== 1) return fail("weight", weight, "Write 1 to learn a turn, or 0.");
  if (typeof (train ?? true) !== "boolean") return fail("train", train, "Write true or false.");
  return number === 0 || train === false;
}

function message(entry: unknown, path: string, { where }: DataRow): ChatMessage {
  const fail = (problem: string, remedy: string): never => {
    throw new PupilError(`${path} ${problem}`, { field: where, value: entry, remedy });
  };
  if (!isRecord(entry)) {
    return fail(`is ${describeValue(entry)}, not a message.`, "Write {role, content}.");
  }
  const given = entry;
  const { from, value, ...others } = given;
  const isShareGpt = typeof from === "string" && !("role" in given);
  const role = isShareGpt ? shareGptRoles[from] : given.role;
  if (isShareGpt && role === undefined) {
    return fail(`is from "${from}".`, oneOf(from, Object.keys(shareGptRoles)));
  }
  if (typeof role !== "string") {
    return fail('has no "role".', `It has: ${Object.keys(given).join(", ") || "nothing"}.`);
  }
  const content = isShareGpt ? value : given.content;
  if ((content ?? null) === null) {
    const { tool_calls: calls } = given;
    if (Array.isArray(calls) && calls.length > 0) return { ...given, role } as ChatMessage;
    // Null, as tables hold it, is no text.
    if (content === null) return { ...given, role, content: "" };
    return fail("has no content, and calls no tools.", 'Write its text in "content".');
  }
  const text = contentText(content);
  if (text === undefined) {
    const found = describeValue(content);
    return fail(`has a content that is ${found}, not text.`, "Only text can be learned.");
  }
  return isShareGpt ? { ...others, role, content: text } : { ...given, role, content: text };
}

function contentText(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part: unknown) => {
    const { type, text } = (part ?? {}) as { type?: unknown; text?: unknown };
    return type === "text" && typeof text === "string" ? text : undefined;
  });
  return parts.includes(undefined) ? undefined : parts.join("");
}
