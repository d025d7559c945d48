import { oneOf, PupilError } from "../../errors/index.js";
import { type DataRow, describeValue } from "../readers/reader.js";
import { requireField } from "../rows/field-path.js";

/** One turn of a chat. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** Names of ShareGPT's `from`. */
const shareGptRoles: Readonly<Record<string, string>> = {
  human: "user",
  gpt: "assistant",
  system: "system",
};

/**
 * The chat of a field: a list of `{role, content}`, or of ShareGPT's `{from, value}`. Content may be
 * a list of text parts. Other keys of a message are kept: templates may read them.
 *
 * @throws PupilError naming file, line and message
 */
export function chatField(row: DataRow, path: string): ChatMessage[] {
  const value = requireField(row, path, "messages");
  if (Array.isArray(value)) return value.map((entry, i) => message(entry, `${path}.${i}`, row));
  throw new PupilError(`the field "${path}" is ${describeValue(value)}, not a list of messages.`, {
    field: row.where,
    value,
    remedy: 'Write [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
  });
}

function message(entry: unknown, path: string, { where }: DataRow): ChatMessage {
  const fail = (problem: string, remedy: string): never => {
    throw new PupilError(`${path} ${problem}`, { field: where, value: entry, remedy });
  };
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return fail(`is ${describeValue(entry)}, not a message.`, "Write {role, content}.");
  }
  const given = entry as Record<string, unknown>;
  const { from, value, ...others } = given;
  const isShareGpt = typeof from === "string" && !("role" in given);
  const role = isShareGpt ? shareGptRoles[from] : given.role;
  if (isShareGpt && role === undefined) {
    return fail(`is from "${from}".`, oneOf(from, Object.keys(shareGptRoles)));
  }
  if (typeof role !== "string") {
    return fail('has no "role".', `It has: ${Object.keys(given).join(", ") || "nothing"}.`);
  }
  const content = contentText(isShareGpt ? value : given.content);
  if (content === undefined) {
    const found = describeValue(isShareGpt ? value : given.content);
    return fail(`has a content that is ${found}, not text.`, "Only text can be learned.");
  }
  return isShareGpt ? { ...others, role, content } : { ...given, role, content };
}

function contentText(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  // A call of a tool has no text of its own.
  if (content === null) return "";
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part: unknown) => {
    const { type, text } = (part ?? {}) as { type?: unknown; text?: unknown };
    return type === "text" && typeof text === "string" ? text : undefined;
  });
  return parts.includes(undefined) ? undefined : parts.join("");
}
