import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  type ChatMessage,
  compileChatTemplate,
  encodeChat,
  type LearnedTurns,
  rowTokenizer,
  type Tokenizer,
  tokenizerFromJson,
  type TokenSequence,
} from "../../../../src/data/index.js";
import { messageOf } from "../../../setup/data/data-rows.js";

/** Qwen's form, with the rule of its newer models that thoughts of earlier turns are left out. */
const chatMl = (content = "message.content") =>
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}" +
  `{{ ${content} + '<|im_end|>\n' }}{% endfor %}` +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const forgetful = chatMl(
  "(message.content if loop.last else message.content.split('</think>')[-1])",
);

/** As above with markers, written over several lines as people write them. */
const marked = `{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- if message.role == 'assistant' %}
        {% generation %}
        {{- message.content + '<|im_end|>' }}
        {%- endgeneration %}
    {%- else %}
        {{- message.content + '<|im_end|>' }}
    {%- endif %}
    {{- '\n' }}
{%- endfor %}`;

const special = ["<|im_start|>", "<|im_end|>", "<s>"];

/** Characters, and the special tokens of the templates; `<|im_end|>` ends a text. */
async function chatTokenizer(config: object = {}): Promise<Tokenizer> {
  const characters = [..." \nabcdefghijklmnopqrstuvwxyzHT?.<>/[]|_"];
  const vocab = Object.fromEntries([...characters, ...special].map((token, id) => [token, id]));
  const json = {
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      special: true,
      normalized: false,
    })),
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: "[\\s\\S]" },
      behavior: "Isolated",
      invert: false,
    },
    decoder: { type: "Fuse" },
    model: { type: "WordLevel", vocab, unk_token: "?" },
  };
  return tokenizerFromJson(json, "t.json", {
    config: { eos_token: "<|im_end|>", bos_token: "<s>", ...config },
  });
}

const chat: readonly ChatMessage[] = [
  { role: "system", content: "be kind" },
  { role: "user", content: "hi" },
  { role: "assistant", content: "ho" },
  { role: "user", content: "and now" },
  { role: "assistant", content: "bye" },
];

/** Text of the ids with learned runs in brackets. */
function show(tokenizer: Tokenizer, row: TokenSequence | undefined): string {
  if (row === undefined) return "nothing";
  const names = Object.entries((tokenizer.toJson() as { model: { vocab: object } }).model.vocab);
  let text = "";
  let isOpen = false;
  for (const [i, id] of row.ids.entries()) {
    const isLearned = row.learned?.[i] === 1;
    if (isLearned !== isOpen) text += isLearned ? "[" : "]";
    isOpen = isLearned;
    text += names.find(([, value]) => value === id)?.[0] ?? "";
  }
  return isOpen ? `${text}]` : text;
}

async function encode(
  template: string | undefined,
  messages: readonly ChatMessage[],
  learn: LearnedTurns = "all",
  tokenizer?: Tokenizer,
) {
  const chosen = tokenizer ?? (await chatTokenizer());
  return encodeChat(chosen, await compileChatTemplate(chosen, template), { messages }, learn);
}

const shown = async (...args: Parameters<typeof encode>) =>
  show(args[3] ?? (await chatTokenizer()), await encode(...args));

const before = "<|im_start|>system\nbe kind<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n";
const start = "<|im_start|>assistant\n";
const next = "<|im_start|>user\nand now<|im_end|>\n";

describe("encodeChat", () => {
  test.each([
    ["prefixes", chatMl()],
    ["markers", marked],
  ])("learns every turn of the assistant with its end token (%s)", async (_name, template) => {
    expect(await shown(template, chat)).toBe(
      `${before}${start}[ho<|im_end|>]\n${next}${start}[bye<|im_end|>]\n`,
    );
    const row = await encode(template, chat);
    expect(row?.completionStart).toBe(row?.learned?.indexOf(1));
    expect(row?.learned).toHaveLength(row?.ids.length as number);
  });

  test("and nothing behind the end of a turn in which it says nothing", async () => {
    const silent = [...chat.slice(0, 2), { role: "assistant", content: "" }];
    const bare =
      "{% for m in messages %}{{ m.role[0] }}{% generation %}{{ m.content }}<|im_end|>\n{% endgeneration %}{% endfor %}";
    expect(await shown(bare, silent.slice(1))).toBe("u[hi<|im_end|>]\na[<|im_end|>]\n");
    expect(await shown(chatMl(), silent)).toBe(`${before}${start}[<|im_end|>]\n`);
  });

  test("or only the last one", async () => {
    for (const template of [chatMl(), marked]) {
      expect(await shown(template, chat, "last")).toBe(
        `${before}${start}ho<|im_end|>\n${next}${start}[bye<|im_end|>]\n`,
      );
    }
  });

  test("the prompt of the first learned turn is that of generation", async () => {
    const tokenizer = await chatTokenizer();
    const template = await compileChatTemplate(tokenizer, chatMl());
    const row = encodeChat(tokenizer, template, { messages: chat }, "last");
    const prompt = tokenizer.encode(template.render({ messages: chat.slice(0, 4) }, true));
    expect(row?.ids.slice(0, row.completionStart)).toEqual(prompt);
  });

  test("turns after the assistant's last one are left out; without one there is nothing", async () => {
    expect(await shown(chatMl(), chat.slice(0, 4))).toBe(`${before}${start}[ho<|im_end|>]\n`);
    expect(await encode(chatMl(), chat.slice(0, 2))).toBeUndefined();
    expect(await encode(chatMl(), [])).toBeUndefined();
  });

  test("the tokenizer's own template and special tokens are used", async () => {
    const own = "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}";
    const tokenizer = await chatTokenizer({ chat_template: own });
    expect(await shown(undefined, chat.slice(1, 3), "all", tokenizer)).toBe(
      "<s>hi<|im_end|>[ho<|im_end|>]",
    );
    const named = await chatTokenizer({
      chat_template: [
        { name: "tool_use", template: "no" },
        { name: "default", template: own },
      ],
    });
    expect(await shown(undefined, chat.slice(1, 3), "all", named)).toBe(
      "<s>hi<|im_end|>[ho<|im_end|>]",
    );
  });

  test("an end token outside of the markers is learned; a missing one is added", async () => {
    const outside =
      "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{{ eos_token }}\n{% endfor %}";
    const turn = [{ role: "assistant", content: "ho" }];
    // The first id of all is never learned.
    expect(await shown(outside, turn)).toBe("h[o<|im_end|>]\n");
    const bare = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";
    const tokenizer = byteTokenizer();
    const row = await encode(
      `${bare}{% if add_generation_prompt %}assistant: {% endif %}`,
      chat.slice(1, 3),
      "all",
      tokenizer,
    );
    expect(row?.ids.at(-1)).toBe(tokenizer.endIds[0]);
    const learned = row?.ids.filter((_id, i) => row.learned?.[i] === 1) ?? [];
    expect(tokenizer.decode(learned)).toBe("ho\n");
    expect(learned).toHaveLength(4);
  });

  test("an end token stands where the turn ends, not behind what follows; of several the first is learned", async () => {
    const turn = [{ role: "assistant", content: "ho" }];
    const followed =
      "{% for m in messages %}_{% generation %}{{ m.content }}{% endgeneration %}/|{% endfor %}";
    expect(await shown(followed, turn)).toBe("_[ho<|im_end|>]");
    const row = await encode(followed, turn);
    expect(row?.learned).toHaveLength(row?.ids.length as number);
    const twice =
      "{% for m in messages %}_{% generation %}{{ m.content }}{% endgeneration %}{{ eos_token }}{{ eos_token }}{% endfor %}";
    expect(await shown(twice, turn)).toBe("_[ho<|im_end|>]<|im_end|>");
  });

  test("a template that renders a turn differently later is an error, for all turns", async () => {
    const thoughtful = chat.map((message) =>
      message.content === "ho" ? { ...message, content: "<think>x</think>ho" } : message,
    );
    expect(await messageOf(encode(forgetful, thoughtful))).toMatch(
      /^data\.chatTemplate: The chat template renders message 2 differently.*Set data\.learn to "last"/,
    );
    expect(await shown(forgetful, thoughtful, "last")).toContain(`${start}[bye<|im_end|>]`);
  });

  test("no template, a broken one, and one that refuses the roles", async () => {
    expect(await messageOf(encode(undefined, chat))).toMatch(
      /^data\.chatTemplate: The tokenizer has no chat template\. Set data\.chatTemplate/,
    );
    expect(await messageOf(encode("{% for m in %}", chat))).toMatch(
      /chat template cannot be read: .*\(line 1: /,
    );
    const strict = "{{ raise_exception('roles must alternate') }}";
    expect(await messageOf(encode(strict, chat))).toMatch(
      /cannot render these messages: roles must alternate \(line 1: /,
    );
  });

  test("turns that are only read are not learned; what follows the last learned one is left out", async () => {
    const tokenizer = await chatTokenizer();
    for (const source of [chatMl(), marked]) {
      const template = await compileChatTemplate(tokenizer, source);
      const learned = (isLearned: readonly boolean[], learn: LearnedTurns = "all") =>
        show(tokenizer, encodeChat(tokenizer, template, { messages: chat, isLearned }, learn));
      expect(learned([true, true, false])).toBe(
        `${before}${start}ho<|im_end|>\n${next}${start}[bye<|im_end|>]\n`,
      );
      expect(learned([true, true, true, true, false])).toBe(`${before}${start}[ho<|im_end|>]\n`);
      expect(learned([true, true, true, true, false], "last")).toBe(
        `${before}${start}[ho<|im_end|>]\n`,
      );
      expect(learned([true, true, false, true, false])).toBe("nothing");
    }
  });

  test("markers that do not go around each turn are an error where turns are told apart", async () => {
    const once =
      "{% generation %}{% for m in messages %}{{ m.content }}{% endfor %}{% endgeneration %}";
    const tokenizer = await chatTokenizer();
    const template = await compileChatTemplate(tokenizer, once);
    const encodeOnce = async (isLearned: readonly boolean[]) =>
      encodeChat(tokenizer, template, { messages: chat, isLearned }, "all");
    expect(await messageOf(encodeOnce([true, true, false]))).toMatch(
      /marks 1 parts of a chat in which the assistant has 2 turns.*once around each turn/,
    );
  });

  test("what changes in a turn once others follow is shown", async () => {
    const messages = chat.map((message) =>
      message.content === "ho" ? { ...message, content: "<think>x</think>ho" } : message,
    );
    expect(await messageOf(encode(forgetful, messages))).toContain(
      'differently in the whole chat than at its end ("<think>x</think>ho<|im_e" becomes "ho<|im_end|>',
    );
  });

  test("whole numbers of a Parquet column are those of Python", async () => {
    const template = await compileChatTemplate(await chatTokenizer(), "{{ messages[0].n + 1 }}");
    const messages = [{ role: "user", content: "", n: 2n ** 60n }];
    expect(template.render({ messages })).toBe(String(2n ** 60n + 1n));
  });

  test("thoughts have the names that templates read", async () => {
    const tokenizer = await chatTokenizer();
    const template = await compileChatTemplate(
      tokenizer,
      "{% for m in messages %}{{ m.thinking }}/{{ m.reasoning_content }}{% endfor %}",
    );
    const rendered = (extra: object) =>
      template.render({ messages: [{ role: "assistant", content: "a", ...extra }] });
    for (const name of ["reasoning_content", "thinking", "reasoning"]) {
      expect(rendered({ [name]: "hm" })).toBe("hm/hm");
    }
    expect(rendered({})).toBe("/");
    expect(rendered({ reasoning_content: null })).toBe("/None");
    // A column of a table that other rows have.
    for (const name of ["reasoning_content", "reasoning"]) {
      expect(rendered({ [name]: "why", thinking: null })).toBe("why/why");
    }
    expect(rendered({ reasoning_content: "a", thinking: "b" })).toBe("b/a");
  });

  test("a message that is nested too deeply to be rendered is said", async () => {
    const template = await compileChatTemplate(await chatTokenizer(), "{{ messages[0].content }}");
    const deep = JSON.parse(`${"[".repeat(30_000)}${"]".repeat(30_000)}`) as unknown;
    const messages = [{ role: "user", content: "", deep }];
    expect(() => template.render({ messages })).toThrow(/messages is nested too deeply/);
    expect(() => template.render({ messages: [], tools: [deep] })).toThrow(/tools is nested too/);
  });

  test("a template for chats with tools is taken for those", async () => {
    const chat_template = [
      { name: "default", template: "plain" },
      { name: "tool_use", template: "{{ tools | length }} tools" },
    ];
    const template = await compileChatTemplate({ toConfigJson: () => ({ chat_template }) });
    expect(template.render({ messages: [] })).toBe("plain");
    expect(template.render({ messages: [], tools: [{}, {}] })).toBe("2 tools");
  });

  test("truncation keeps ids and what is learned together", async () => {
    const tokenizer = await chatTokenizer();
    const template = await compileChatTemplate(tokenizer, chatMl());
    const full = encodeChat(tokenizer, template, { messages: chat }, "all") as TokenSequence;
    const cutAt = full.ids.length - 4;
    const rows = rowTokenizer(tokenizer, { template, maxLength: cutAt });
    const row = rows.encode({ example: { messages: chat }, id: "t:1" });
    expect(show(tokenizer, row)).toBe(`${before}${start}[ho<|im_end|>]\n${next}${start}[b]`);
    expect(row?.learned).toHaveLength(cutAt);
    expect(rows.report()).toMatchObject({ truncated: 1, completionTokens: 4 });
    // Cut before anything that is learned.
    const short = rowTokenizer(tokenizer, { template, maxLength: 10 });
    expect(short.encode({ example: { messages: chat }, id: "t:1" })).toBeUndefined();
    expect(short.report()).toMatchObject({ dropped: 1, kept: 0 });
  });
});
