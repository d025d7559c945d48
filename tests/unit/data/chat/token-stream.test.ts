import { expect, test } from "vitest";
import type { Token } from "../../../../src/data/chat/jinja/parser/lexer.js";
import { tokenStream } from "../../../../src/data/chat/jinja/parser/token-stream.js";

const name: Token = { type: "name", value: "x", line: 1 };
const end: Token = { type: "end", value: "", line: 2 };

test("behind the last token stands the last one, however far one reads", () => {
  const stream = tokenStream([name, end]);
  expect([stream.current, stream.peek()]).toEqual([name, end]);
  expect(stream.next()).toBe(name);
  for (let i = 0; i < 3; i++) {
    expect([stream.current, stream.peek(), stream.next()]).toEqual([end, end, end]);
  }
  expect(stream.is("x")).toBe(false);
  expect(() => stream.expect("name")).toThrow("expected a name, got the end of the template");
});
