import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  dataFile,
  isLearned,
  type PairOptions,
  readPairExamples,
  readPairs,
  type TokenSequence,
} from "../../../../src/data/index.js";
import { collect, messageOf } from "../../../setup/data/data-rows.js";

const chatTemplate =
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}" +
  "{% if add_generation_prompt %}<assistant>{% endif %}";
const tokenizer = byteTokenizer();
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

function fileOf(...rows: readonly object[]) {
  return dataFile("t.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
}

/** Text of the ids with the learned part in brackets. */
function show(row: TokenSequence | undefined): string {
  if (row === undefined) return "nothing";
  const at = row.ids.findIndex((_id, i) => isLearned(row, i));
  return `${tokenizer.decode(row.ids.slice(0, at))}[${tokenizer.decode(row.ids.slice(at))}]`;
}

async function shown(row: object, options: PairOptions = {}): Promise<string[]> {
  const { pairs } = await readPairs([fileOf(row)], tokenizer, { chatTemplate, ...options });
  return [show(pairs[0]?.positive), show(pairs[0]?.negative)];
}

describe("pairs of answers", () => {
  test("with a prompt, as text and as messages", async () => {
    expect(await shown({ prompt: "p:", chosen: "good", rejected: "bad" })).toEqual([
      "p:[good]",
      "p:[bad]",
    ]);
    const row = { prompt: [user("hi")], chosen: [assistant("good")], rejected: [assistant("bad")] };
    expect(await shown(row)).toEqual([
      "<user>hi\n<assistant>[good\n]",
      "<user>hi\n<assistant>[bad\n]",
    ]);
  });

  test("without a prompt it is what both answers begin with", async () => {
    const shared = [user("a"), assistant("b"), user("c")];
    const row = { chosen: [...shared, assistant("good")], rejected: [...shared, assistant("bad")] };
    expect(await shown(row)).toEqual([
      "<user>a\n<assistant>b\n<user>c\n<assistant>[good\n]",
      "<user>a\n<assistant>b\n<user>c\n<assistant>[bad\n]",
    ]);
    // The space before the first difference belongs to the answers, as in TRL.
    expect(await shown({ chosen: "Q: 1? A: yes", rejected: "Q: 1? A: no" })).toEqual([
      "Q: 1? A:[ yes]",
      "Q: 1? A:[ no]",
    ]);
    const [pair] = await collect(readPairExamples([fileOf({ chosen: "x😀", rejected: "x😁" })]));
    expect(pair?.positive).toEqual({ prompt: "x", completion: "😀" });
  });

  test("a prompt of text beside whole chats is what both begin with, or refused", async () => {
    const chats = (prompt: string) => ({
      prompt,
      chosen: [user("hi"), assistant("good")],
      rejected: [user("hi"), assistant("bad")],
    });
    expect(await shown(chats("hi"))).toEqual([
      "<user>hi\n<assistant>[good\n]",
      "<user>hi\n<assistant>[bad\n]",
    ]);
    const { prompt, ...answers } = chats("hi");
    const renamed = { question: prompt, ...answers };
    expect(await shown(renamed, { fields: { prompt: "question" } })).toEqual(
      await shown(chats("hi")),
    );
    expect(await messageOf(shown(chats("ho")))).toMatch(
      /^t\.jsonl:1: the field "prompt" is text, and the messages that both answers begin with do not/,
    );
    const alone = { prompt: "hi", chosen: [assistant("good")], rejected: [assistant("bad")] };
    expect(await messageOf(shown(alone))).toMatch(/Write it as messages/);
  });

  test("messages that are nested too deeply to be compared are said", async () => {
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    const answer = `[{"role": "assistant", "content": "a", "deep": ${deep}}]`;
    const file = dataFile("t.jsonl", `{"chosen": ${answer}, "rejected": ${answer}}`);
    expect(await messageOf(readPairs([file], tokenizer, { chatTemplate }))).toMatch(
      /^t\.jsonl:1: .*nested too deeply/,
    );
  });

  test("masks and tools are those of chats", async () => {
    const row = {
      prompt: [user("hi")],
      chosen: [{ ...assistant("no"), weight: 0 }, user("and"), assistant("yes")],
      rejected: [assistant("bad")],
      tools: [{ name: "f" }],
    };
    const withTools = `{{ tools | tojson if tools }}${chatTemplate}`;
    expect(await shown(row, { chatTemplate: withTools })).toEqual([
      '[{"name": "f"}]<user>hi\n<assistant>no\n<user>and\n<assistant>[yes\n]',
      '[{"name": "f"}]<user>hi\n<assistant>[bad\n]',
    ]);
    const { tools, ...others } = row;
    const renamed = { ...others, functions: tools };
    const fields = { tools: "functions" };
    expect(await shown(renamed, { chatTemplate: withTools, fields })).toEqual(
      await shown(row, { chatTemplate: withTools }),
    );
  });

  test("two equal answers, one without the assistant, and mixed forms", async () => {
    const { report } = await readPairs(
      [
        fileOf(
          { prompt: "p", chosen: "a", rejected: "a" },
          { prompt: "p", chosen: "a", rejected: "b" },
        ),
      ],
      tokenizer,
    );
    expect(report).toEqual({ rows: 2, dropped: 0, equal: 1 });
    const noAnswer = { prompt: [user("hi")], chosen: [user("good")], rejected: [assistant("bad")] };
    expect(await messageOf(shown(noAnswer))).toMatch(
      /^t\.jsonl:1: has an answer in which the assistant says nothing/,
    );
    const mixed = { prompt: [user("hi")], chosen: [assistant("good")], rejected: "bad" };
    expect(await messageOf(shown(mixed))).toContain(
      'the field "rejected" is the string bad, not a list of messages',
    );
  });
});
