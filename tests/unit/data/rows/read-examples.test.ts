import { describe, expect, test } from "vitest";
import { dataFile, type ExampleOptions, readExamples } from "../../../../src/data/index.js";
import { collect, messageOf } from "../../../setup/data-rows.js";

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
      't.jsonl:1: has no field "turns.3.value". Did you mean "0"?',
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
