import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileChatTemplate, type Chat } from "../../src/data/index.js";
import { compileTemplate } from "../../src/data/chat/jinja/index.js";
import { parseJson } from "../../src/data/readers/written-number.js";

/** Made by scripts/fixtures/make-chat-fixtures.py with transformers and jinja2. */
interface Expected {
  readonly variables: string;
  readonly constructs: readonly Case[];
  readonly chats: readonly (Case & { readonly chat: string; readonly variables: string })[];
}
interface Case {
  readonly template: string;
  /** Null where Python refuses. */
  readonly text: string | null;
  /** What Python says then, after the name of the exception. */
  readonly error?: string;
  /** Of `{% generation %}` blocks, in characters. */
  readonly spans?: readonly (readonly [number, number])[];
}

const folder = new URL("fixtures/chat/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), "utf8");
const expected = JSON.parse(read("expected.json")) as Expected;
const clock = () => new Date(2026, 2, 7, 9, 5, 2);
const given = { tools: null, documents: null, add_generation_prompt: false };

/** What Python renders and this engine refuses, and by which words. */
const refused: Readonly<Record<string, string>> = {
  "{{ l | batch(3) | list }}": 'filter "batch"',
  "{{ l | slice(2) | list }}": 'filter "slice"',
  "{{ people | groupby('age') | list | length }}": 'filter "groupby"',
  "{% for age, rows in people | groupby('age') %}{{ age }}:{{ rows | length }};{% endfor %}":
    'filter "groupby"',
  "{{ '<a&b>' | escape }}": 'filter "escape"',
  "{{ '<a>' | e }}|{{ '<b>' | safe }}": 'filter "e"',
  "{{ 'hello world' | truncate(8) }}": 'filter "truncate"',
  "{{ 'a b' | urlencode }}": 'filter "urlencode"',
  "{{ '<p>a <b>c</b></p>' | striptags }}": 'filter "striptags"',
  "{{ 1234567 | filesizeformat }}": 'filter "filesizeformat"',
  "{{ 'one two three' | wordwrap(8) }}": 'filter "wordwrap"',
  "{{ d | pprint }}": 'filter "pprint"',
  "{% block b %}x{% endblock %}": 'tag "block"',
  "{% autoescape true %}<{{ '<' }}{% endautoescape %}": 'tag "autoescape"',
  "{{ 5 .real }}": '"real" of a Python int',
  "{{ d.b.bit_length() }}": '"bit_length" of a Python int',
};

/** What both refuse, and this engine says in words of its own. */
const otherWords: Readonly<Record<string, string>> = {
  "{% include 'x' %}": 'the tag "include" is not supported',
  "{% set ns = namespace(_x=1) %}":
    "Chat templates cannot store underscore-prefixed attributes on a namespace, but got '_x'.",
  "{{ range(1.5) }}": "range() needs an integer, not float",
  "{{ 'a' * 1.5 }}": "unsupported operand type(s) for *: 'str' and 'float'",
  "{{ [1] + (2,) }}": "unsupported operand type(s) for +: 'list' and 'tuple'",
  "{{ 1 % 0 }}": "integer division or modulo by zero",
  "{{ 1.5 % 0 }}": "float division by zero",
  "{{ 0 ** -1 }}": "zero to a negative power",
  "{{ '%d' % 'a' }}": "%d format: a number is required, not str",
  "{{ '%y' % 1 }}": "%y is not supported",
  "{{ '{}{0}'.format(1, 2) }}": "the format fields are numbered in part, {0}, and in part not, {}",
  "{{ '{}{}'.format(1) }}": "the format field {} has no value",
  "{{ '{0}{}'.format(1, 2) }}": "the format fields are numbered in part, {0}, and in part not, {}",
  "{{ '{a}'.format(1) }}": "the format field {a} has no value",
  "{{ '{:s}'.format(1) }}": "the format field {:s} is not supported",
  "{{ '{:d}'.format('a') }}": "the format field {:d} is not supported",
  "{{ [1] | dictsort }}": "dictsort() needs a mapping",
  "{{ 'abc'.startswith(1) }}": "startswith() needs text, not int",
  "{{ 'a'.strip(1) }}": "strip() needs text, not int",
  "{{ 'a'.strip('a', 'b') }}": "strip() takes at most 1 arguments (2 given)",
  "{{ 'a'.strip(nosuch=1) }}": "strip() got an unexpected keyword argument 'nosuch'",
  "{{ 'a'.splitlines('x') }}": "splitlines() needs an integer, not str",
  "{{ 'a'.splitlines(none) }}": "splitlines() needs an integer, not NoneType",
  "{{ 'a'.splitlines(true, true) }}": "splitlines() takes at most 1 arguments (2 given)",
  "{{ 'a'.casefold(1) }}": "casefold() takes at most 0 arguments (1 given)",
  "{{ l | reverse | last }}": "'generator' object is not reversible",
  "{{ nosuch | reverse | last }}": "'generator' object is not reversible",
  "{{ '-'.join(1) }}": "'int' object is not iterable",
  "{{ 1 is divisibleby 0 }}": "division by zero",
  "{{ 'a' is even }}": "not a number",
  "{{ 'a' | tojson(1, 2, 3, 4, 5) }}": "filter() takes at most 4 arguments (5 given)",
  "{{ {'a': 1} | tojson(separators=(',',)) }}": "tojson() needs two separators",
  "{{ strftime_now() }}": "strftime_now() needs text, not nothing",
  "{{ 'x' | upper(1) }}": "filter() takes at most 0 arguments (1 given)",
  "{{ 'x' | replace('a') }}": "replace() needs what is replaced and by what",
  "{{ 'x' | replace }}": "replace() needs what is replaced and by what",
  "{{ 'x'.replace('a') }}": "replace() needs text, not nothing",
  "{{ 'x'.find() }}": "find() needs text, not nothing",
  "{% set ns = namespace() %}{% set ns._a = 1 %}":
    "Chat templates cannot store underscore-prefixed attributes on a namespace, but got '_a'.",
  "{{ raise_exception() }}": "raise_exception() of nothing",
  "{{ raise_exception('a', 'b') }}": "raise_exception() takes at most 1 arguments (2 given)",
  "{{ 1 is eq }}": "the test needs a value to compare with",
  "{{ (1, 2).index(5) }}": "5 is not in list",
  "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}":
    "macro 'm' was invoked with two values for the special caller argument.",
};

/** Python's words; what is wrong with the form of a template is said in others here. */
function wordsOf(error = ""): string | RegExp {
  const [, name, words] = /^(\w+): (.*)$/.exec(error) ?? [];
  return name === "TemplateSyntaxError" || words === undefined ? /./ : words;
}

function render(template: string, variables: object) {
  const { text, spans } = compileTemplate(template, clock)({ ...given, ...variables });
  const at = (unit: number) => [...text.slice(0, unit)].length;
  return { text, spans: spans.map(({ start, end }) => [at(start), at(end)]) };
}

describe("templates render as transformers renders them", () => {
  const variables = parseJson(expected.variables) as { messages: object[] };
  // As compileChatTemplate gives them to a template.
  const messages = variables.messages.map((message) =>
    "reasoning_content" in message ? { thinking: message.reasoning_content, ...message } : message,
  );

  test.each(expected.constructs)("$template", ({ template, text, error, spans }) => {
    const run = () => render(template, { ...variables, messages });
    const words = refused[template];
    if (words !== undefined)
      expect(run).toThrow(`the ${words} is not supported`.replace('the "', '"'));
    else if (text === null) expect(run).toThrow(otherWords[template] ?? wordsOf(error));
    else expect(run()).toEqual({ text, spans: spans ?? [] });
  });
});

describe("chats in the templates of model families", () => {
  test.each(expected.chats)("$template: $chat", async ({ template, variables, text, spans }) => {
    const source = read(`${template}.jinja`);
    const {
      messages,
      tools,
      add_generation_prompt: isPrompt,
      ...others
    } = parseJson(variables) as {
      messages: Chat["messages"];
      tools?: unknown[];
      add_generation_prompt?: boolean;
    };
    if (text === null) {
      expect(() => render(source, { ...others, messages, ...(tools && { tools }) })).toThrow(/./);
      return;
    }
    expect(render(source, withThinking(parseJson(variables) as object))).toEqual({
      text,
      spans: spans ?? [],
    });
    // The clock is only fixed above.
    if (source.includes("strftime_now") || "enable_thinking" in others) return;
    const config = () => ({ ...others, chat_template: source });
    const compiled = await compileChatTemplate({ toConfigJson: config });
    expect(compiled.render({ messages, ...(tools && { tools }) }, isPrompt)).toBe(text);
  });
});

function withThinking(variables: object): object {
  const { messages } = variables as { messages: readonly Record<string, unknown>[] };
  return {
    ...variables,
    messages: messages.map((message) =>
      "reasoning_content" in message
        ? { thinking: message["reasoning_content"], ...message }
        : message,
    ),
  };
}
