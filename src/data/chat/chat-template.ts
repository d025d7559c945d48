import { PupilError } from "../../errors/index.js";
import { isObject } from "../tokenizers/vocabulary.js";
import type { Tokenizer } from "../types.js";
import type { ChatMessage } from "./messages.js";

/** A part of a text, `start` to `end`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A chat template, ready to render. */
export interface ChatTemplate {
  /** The chat as one text; with `addGenerationPrompt`, up to where the assistant begins to write. */
  render(messages: readonly ChatMessage[], addGenerationPrompt?: boolean): string;
  /** The chat, and what of it stands between the template's `{% generation %}` markers. */
  renderMarked?(messages: readonly ChatMessage[]): {
    readonly text: string;
    readonly spans: readonly Span[];
  };
}

/**
 * Compiles a Jinja chat template, by default the tokenizer's own (`chat_template` of its
 * tokenizer_config.json), with transformers.js, as `apply_chat_template` renders it.
 *
 * @throws PupilError if there is no template or it cannot be compiled; rendering throws one with
 *   the template's own message
 */
export async function compileChatTemplate(
  tokenizer: Pick<Tokenizer, "toConfigJson">,
  template?: string,
): Promise<ChatTemplate> {
  const config = tokenizer.toConfigJson() as Record<string, unknown>;
  const source = template ?? ownTemplate(config.chat_template);
  if (source === undefined) {
    throw new PupilError("The tokenizer has no chat template.", {
      field: "data.chatTemplate",
      remedy:
        "Set data.chatTemplate to a Jinja template, or take a tokenizer whose tokenizer_config.json has a chat_template (or a chat_template.jinja beside it).",
    });
  }
  const { PreTrainedTokenizer } = await import("@xenova/transformers");
  // Only its template engine is used: rendering needs the names of the special tokens, no vocabulary.
  const engine = new PreTrainedTokenizer(emptyTokenizer, specialTokens(config));
  const renderWith = (jinja: string, messages: readonly ChatMessage[], isPrompt: boolean) => {
    try {
      return engine.apply_chat_template(messages as ChatMessage[], {
        chat_template: jinja,
        add_generation_prompt: isPrompt,
        tokenize: false,
      }) as unknown as string;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PupilError(`The chat template cannot render these messages: ${reason}.`, {
        value: messages,
        remedy: "Check the roles and their order, or give another template in data.chatTemplate.",
        cause,
      });
    }
  };
  const render: ChatTemplate["render"] = (messages, isPrompt = false) =>
    renderWith(source, messages, isPrompt);
  const marked = markGeneration(source);
  return marked === undefined
    ? { render }
    : { render, renderMarked: (messages) => cutMarks(renderWith(marked, messages, false)) };
}

const emptyTokenizer = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: { type: "WordLevel", vocab: { "": 0 }, unk_token: "" },
};

/** The template of a config: one text, or `[{name, template}]` of which `default` is taken. */
function ownTemplate(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.filter(isObject);
  const found = named.find(({ name }) => name === "default") ?? named[0];
  return typeof found?.template === "string" ? found.template : undefined;
}

function specialTokens(config: Record<string, unknown>): object {
  const tokens = Object.entries(config)
    .filter(([key]) => key.endsWith("_token"))
    .map(([key, value]) => [key, isObject(value) ? value.content : value]);
  return Object.fromEntries(tokens) as object;
}

/** Characters that no text has: Unicode's noncharacters. */
const markStart = "\ufdd0";
const markEnd = "\ufdd1";

/** The template with a character printed at each `generation` marker, or undefined without one. */
function markGeneration(template: string): string | undefined {
  const marker = /{%(-?)\s*(end)?generation\s*(-?)%}/g;
  if (!marker.test(template)) return undefined;
  // Blocks around the output keep the whitespace rules of the markers, which are blocks too.
  return template.replace(
    marker,
    (_all, before: string, isEnd: string | undefined, after: string) =>
      `{%${before} if true %}{{ "${isEnd === undefined ? markStart : markEnd}" }}{% endif ${after}%}`,
  );
}

function cutMarks(marked: string): { text: string; spans: Span[] } {
  let text = "";
  let start = 0;
  const spans: Span[] = [];
  for (const part of marked.split(/([\ufdd0\ufdd1])/)) {
    if (part === markStart) start = text.length;
    else if (part === markEnd) spans.push({ start, end: text.length });
    else text += part;
  }
  return { text, spans };
}
