import { PupilError } from "../../errors/index.js";
import { shorten } from "../readers/reader.js";
import { isObject } from "../tokenizers/vocabulary.js";
import type { Tokenizer } from "../types.js";
import { compileTemplate, type Rendered, TemplateError } from "./jinja/index.js";
import type { Chat, ChatMessage } from "./messages.js";

/** A part of a text, `start` to `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A chat template, ready to render. */
export interface ChatTemplate {
  /** The chat as one text; with `addGenerationPrompt`, up to where the assistant begins to write. */
  render(chat: Chat, addGenerationPrompt?: boolean): string;
  /** The chat, and what of it stands between the template's `{% generation %}` markers. */
  renderMarked?(chat: Chat): {
    readonly text: string;
    readonly spans: readonly Span[];
  };
}

/**
 * Compiles a Jinja chat template, by default the tokenizer's own (`chat_template` of its
 * tokenizer_config.json), which then renders as Python's `apply_chat_template` does.
 *
 * @throws PupilError if there is no template or it cannot be compiled; rendering throws one with
 *   the template's own message and line
 */
export async function compileChatTemplate(
  tokenizer: Pick<Tokenizer, "toConfigJson">,
  template?: string,
): Promise<ChatTemplate> {
  const config = tokenizer.toConfigJson() as Record<string, unknown>;
  const { chat, withTools = chat } =
    template === undefined ? ownTemplates(config.chat_template) : { chat: template };
  if (chat === undefined || withTools === undefined) {
    throw new PupilError("The tokenizer has no chat template.", {
      field: "data.chatTemplate",
      remedy:
        "Set data.chatTemplate to a Jinja template, or take a tokenizer whose tokenizer_config.json has a chat_template (or a chat_template.jinja beside it).",
    });
  }
  const compiled = new Map([chat, withTools].map((source) => [source, compile(source)]));
  const tokens = specialTokens(config);
  const renderChat = ({ messages, tools = null }: Chat, isPrompt: boolean): Rendered => {
    const source = tools === null ? chat : withTools;
    const variables = {
      ...tokens,
      messages: messages.map(withReasoning),
      tools,
      documents: null,
      add_generation_prompt: isPrompt,
    };
    try {
      return (compiled.get(source) as ReturnType<typeof compile>)(variables);
    } catch (error) {
      throw explain(error, source, "The chat template cannot render these messages", messages);
    }
  };
  const render: ChatTemplate["render"] = (given, isPrompt = false) =>
    renderChat(given, isPrompt).text;
  const isMarked = [chat, withTools].every((source) =>
    /{%[-+]?\s*generation\s*[-+]?%}/.test(source),
  );
  return isMarked ? { render, renderMarked: (given) => renderChat(given, false) } : { render };
}

function compile(source: string): ReturnType<typeof compileTemplate> {
  try {
    return compileTemplate(source);
  } catch (error) {
    throw explain(error, source, "The chat template cannot be read");
  }
}

/** What the template says, with its line. */
function explain(error: unknown, source: string, what: string, value?: unknown): unknown {
  if (!(error instanceof TemplateError)) return error;
  const { message, line } = error;
  const text = line === undefined ? "" : (source.split(/\r\n|\r|\n/)[line - 1] ?? "").trim();
  const where = line === undefined ? "" : ` (line ${line}: ${shorten(text)})`;
  return new PupilError(`${what}: ${message.replace(/\.$/, "")}${where}.`, {
    field: "data.chatTemplate",
    ...(value === undefined ? {} : { value }),
    remedy:
      "That is the template's own rule: change the row, or give another template in data.chatTemplate.",
    cause: error,
  });
}

/**
 * Thoughts of the assistant under the names that templates read, `reasoning_content` and `thinking`,
 * whichever of them (or `reasoning`) the data has.
 */
function withReasoning(message: ChatMessage): ChatMessage {
  const names = ["reasoning_content", "thinking", "reasoning"] as const;
  const thoughts = names.map((name) => message[name]).find((value) => (value ?? null) !== null);
  if (thoughts === undefined) return message;
  // Of a table, a message may have both, and null in one.
  return { ...message, thinking: message["thinking"] ?? thoughts, reasoning_content: thoughts };
}

/** The templates of a config: one text, or `[{name, template}]` with one for chats with tools. */
function ownTemplates(value: unknown): { chat?: string; withTools?: string } {
  if (typeof value === "string") return { chat: value };
  if (!Array.isArray(value)) return {};
  const texts = value
    .filter(isObject)
    .flatMap(({ name, template }) => (typeof template === "string" ? [{ name, template }] : []));
  const find = (wanted: string) => texts.find(({ name }) => name === wanted)?.template;
  const chat = find("default") ?? texts[0]?.template;
  const withTools = find("tool_use") ?? chat;
  return { ...(chat && { chat }), ...(withTools && { withTools }) };
}

function specialTokens(config: Record<string, unknown>): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    const token = isObject(value) ? value.content : value;
    if (key.endsWith("_token") && typeof token === "string") tokens[key] = token;
  }
  return tokens;
}
