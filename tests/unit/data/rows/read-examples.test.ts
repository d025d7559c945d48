import { describe, expect, test } from "vitest";
import { dataFile, type ExampleOptions, readExamples } from "../../../../src/data/index.js";
import { collect, messageOf } from "../../../setup/data/data-rows.js";

function examplesOf(rows: readonly object[], options: ExampleOptions = {}) {
  const text = rows.map((row) => JSON.stringify(row)).join("\n");
  return collect(readExamples([dataFile("t.jsonl", text)], options));
}

async function exampleOf(row: object, options: ExampleOptions = {}) {
  return (await examplesOf([row], options))[0]?.example;
}

describe("readExamples", () => {
  test("without fields, the first row shows what is learned", async () => {
    const pair = { prompt: "1+1=", completion: "2" };
    expect(await exampleOf({ ...pair, answer: 2, more: [] })).toEqual({ ...pair, answer: "2" });
    expect(await exampleOf({ text: "abc" })).toEqual({ prompt: "", completion: "abc" });
    const messages = [{ role: "user", content: "hi" }];
    expect(await exampleOf({ messages })).toEqual({ messages });
    expect(await messageOf(examplesOf([{ question: "q", answer: "a" }]))).toBe(
      "t.jsonl:1: has no prompt and completion, no messages, no text and no prompt. Its fields are: question, answer. Set data.fields, such as fields.prompt and fields.completion, fields.messages or fields.text, to those to learn from.",
    );
  });

  test("renamed fields, and the separator at the end of the prompt", async () => {
    const fields = { prompt: "question", completion: "answer" };
    const row = { question: "How many?", answer: "72" };
    expect(await exampleOf(row, { fields, separator: "\n" })).toEqual({
      prompt: "How many?\n",
      completion: "72",
    });
    const answered = { prompt: "q", completion: "s", answer: "a" };
    expect(await exampleOf({ q: "1", s: "2", a: "3" }, { fields: answered })).toEqual({
      prompt: "1",
      completion: "2",
      answer: "3",
    });
  });

  test("dots lead into objects and lists; a name with a dot comes first", async () => {
    const row = { turns: [{ value: "p" }, { value: "c" }], "turns.0.value": "named so" };
    const fields = { prompt: "turns.1.value", completion: "turns.0.value" };
    expect(await exampleOf(row, { fields })).toEqual({ prompt: "c", completion: "named so" });
  });

  test("names rows by file and line, or by a field", async () => {
    const rows = [
      { id: 7, text: "a" },
      { id: "x", text: "b" },
    ];
    expect((await examplesOf(rows)).map(({ id }) => id)).toEqual(["t.jsonl:1", "t.jsonl:2"]);
    const named = await examplesOf(rows, { fields: { text: "text", id: "id" } });
    expect(named.map(({ id }) => id)).toEqual(["7", "x"]);
  });

  const pair: ExampleOptions = { fields: { prompt: "prompt", completion: "completion" } };
  test.each<[object, ExampleOptions, string]>([
    [
      { prompt: "p", compltion: "c" },
      pair,
      't.jsonl:1: has no field "completion". Did you mean "compltion"? Allowed: prompt, compltion. Set fields.completion',
    ],
    [{}, pair, 't.jsonl:1: has no field "prompt". The object is empty.'],
    [{ prompt: "p", completion: 7 }, pair, 'the field "completion" is the number 7, not text.'],
    [{ prompt: null, completion: "" }, pair, 'the field "prompt" is null, not text.'],
    [{ prompt: ["p"], completion: "" }, pair, "prompt.0 is the string p, not a message."],
    [{ prompt: "p", completion: "c", answer: true }, pair, '"answer" is the boolean true'],
    [
      { prompt: "p", completion: "c" },
      { fields: { prompt: "prompt", answer: "result" } },
      't.jsonl:1: has no field "result".',
    ],
    [{ prompt: "p" }, { fields: { prompt: "toString" } }, 'has no field "toString".'],
    [
      { turns: [{ value: "p" }] },
      { fields: { text: "turns.3.value" } },
      't.jsonl:1: has no field "turns.3.value". Allowed: 0.',
    ],
    [{ turns: "p" }, { fields: { text: "turns.a" } }, "There it is the string p."],
    [
      { prompt: "p", text: "t" },
      { fields: { prompt: "prompt", text: "text" } },
      "data.fields: has prompt and text, which belong to different kinds of rows.",
    ],
    [{ messages: "hi" }, {}, 'the field "messages" is the string hi, not a list of messages.'],
    [{ messages: ["hi"] }, {}, "t.jsonl:1: messages.0 is the string hi, not a message."],
    [{ messages: [{ content: "hi" }] }, {}, 'messages.0 has no "role". It has: content.'],
    [{ messages: [{ role: "user" }] }, {}, "messages.0 has no content, and calls no tools."],
    [
      { messages: [{ role: "user", content: [{ type: "image" }] }] },
      {},
      "messages.0 has a content that is a list, not text.",
    ],
    [
      { messages: [{ from: "gtp", value: "x" }] },
      {},
      'messages.0 is from "gtp". Did you mean "gpt"?',
    ],
  ])("explains %j with %j", async (row, options, message) => {
    expect(await messageOf(examplesOf([row], options))).toContain(message);
  });

  test("chats in ShareGPT's form and with text parts", async () => {
    const conversations = [
      { from: "human", value: "hi" },
      { from: "gpt", value: "ho", weight: 1 },
    ];
    expect(await exampleOf({ conversations }, { fields: { messages: "conversations" } })).toEqual({
      messages: [
        { role: "user", content: "hi" },
        { role: "assistant", content: "ho", weight: 1 },
      ],
    });
    const content = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    expect(await exampleOf({ messages: [{ role: "user", content }] })).toEqual({
      messages: [{ role: "user", content: "ab" }],
    });
  });
});

describe("rows of messages", () => {
  const user = { role: "user", content: "hi" };
  const assistant = { role: "assistant", content: "ho" };

  test("a chat has the tools beside it, as a list or as JSON text", async () => {
    const tools = [{ type: "function", function: { name: "f" } }];
    const messages = [user, assistant];
    expect(await exampleOf({ messages, tools })).toEqual({ messages, tools });
    expect(await exampleOf({ messages, tools: JSON.stringify(tools) })).toEqual({
      messages,
      tools,
    });
    expect(await exampleOf({ messages, tools: null })).toEqual({ messages });
    expect(
      await exampleOf({ messages, t: tools }, { fields: { messages: "messages", tools: "t" } }),
    ).toEqual({ messages, tools });
    expect(await messageOf(examplesOf([{ messages, tools: "f" }]))).toMatch(
      /^t\.jsonl:1: the field "tools" is the string f, not a list of tools/,
    );
  });

  test("weight 0 and train false are turns that are only read", async () => {
    const masked = async (extra: object) => {
      const messages = [user, { ...assistant, ...extra }, user, assistant];
      const example = await exampleOf({ messages });
      return example && "messages" in example ? example.isLearned?.join() : undefined;
    };
    for (const extra of [{ weight: 0 }, { train: false }, { weight: 0.0 }]) {
      expect(await masked(extra)).toBe("true,false,true,true");
    }
    for (const extra of [{}, { weight: 1 }, { train: true }, { weight: null, train: null }]) {
      expect(await masked(extra)).toBeUndefined();
    }
    expect(await messageOf(masked({ weight: 0.5 }))).toMatch(
      /^t\.jsonl:1: messages\.1\.weight is the number 0\.5\. Write 1 to learn a turn, or 0/,
    );
    expect(await messageOf(masked({ train: "no" }))).toMatch(/messages\.1\.train is the string no/);
  });

  test("a call of tools needs no content; null is no text, and nothing at all is an error", async () => {
    const call = { role: "assistant", tool_calls: [{ function: { name: "f" } }] };
    expect(await exampleOf({ messages: [user, call] })).toEqual({ messages: [user, call] });
    const withNull = { ...call, content: null };
    expect(await exampleOf({ messages: [user, withNull] })).toEqual({ messages: [user, withNull] });
    const empty = { role: "assistant", content: null };
    expect(await exampleOf({ messages: [user, empty] })).toEqual({
      messages: [user, { ...empty, content: "" }],
    });
    expect(await messageOf(examplesOf([{ messages: [user, { role: "assistant" }] }]))).toMatch(
      /messages\.1 has no content, and calls no tools/,
    );
    expect(await messageOf(examplesOf([{ messages: null }]))).toMatch(
      /^t\.jsonl:1: the field "messages" has no list of messages: it is missing or null/,
    );
  });

  test("prompt and completion: what is in the completion is learned", async () => {
    const turns = [user, assistant, user];
    const tools = [{ name: "f" }];
    expect(await exampleOf({ prompt: turns, completion: [assistant], tools })).toEqual({
      messages: [...turns, assistant],
      isLearned: [false, false, false, true],
      tools,
    });
    expect(await messageOf(examplesOf([{ prompt: turns, completion: "ho" }]))).toContain(
      'the field "completion" is the string ho, not a list of messages',
    );
    expect(await messageOf(examplesOf([{ prompt: "hi", completion: [assistant] }]))).toContain(
      'the field "prompt" is the string hi, not a list of messages',
    );
    expect(
      await messageOf(
        examplesOf([{ prompt: turns, completion: [assistant] }], { separator: "\n" }),
      ),
    ).toMatch(/^data\.separator: separates prompts of text/);
  });

  test("a prompt alone, as text and as messages", async () => {
    expect(await exampleOf({ prompt: "1+1=", answer: 2 }, { separator: "\n" })).toEqual({
      prompt: "1+1=\n",
      answer: "2",
    });
    expect(await exampleOf({ prompt: [user] })).toEqual({ messages: [user], isPrompt: true });
    expect(
      await messageOf(examplesOf([{ prompt: "a" }, { prompt: "a", completion: "b" }])),
    ).toMatch(/^t\.jsonl:2: has a "completion", and the first row has none/);
  });

  test("a completion that was cut off says so", async () => {
    const row = { prompt: "p", completion: "c" };
    expect(await exampleOf({ ...row, finish_reason: "length" })).toEqual({
      ...row,
      finished: false,
    });
    expect(await exampleOf({ ...row, finish_reason: "stop" })).toEqual(row);
  });

  test("what its writer was shown is text, of prompts alone too", async () => {
    const row = { prompt: "p", shownPrompt: "hint p" };
    expect(await exampleOf(row, { separator: "\n" })).toEqual({ ...row, prompt: "p\n" });
    expect(await exampleOf({ ...row, completion: "c" })).toEqual({ ...row, completion: "c" });
    expect(await messageOf(examplesOf([{ ...row, shownPrompt: 3 }]))).toMatch(
      /^t\.jsonl:1: .*shownPrompt/,
    );
  });
});
