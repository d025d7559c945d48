import type { Token } from "./lexer.js";
import { TemplateError } from "../template-error.js";

/** The tokens of a template, one after the other. */
export interface TokenStream {
  readonly current: Token;
  /** Names that were read since the start: a macro's body says by them what it takes. */
  readonly names: Set<string>;
  /** The token after the current one. */
  peek(): Token;
  next(): Token;
  /** Whether the current token is one of these operators, or names where `type` is "name". */
  is(values: string | readonly string[], type?: "operator" | "name"): boolean;
  /** Goes past the current token if `is` holds for it. */
  skip(values: string | readonly string[], type?: "operator" | "name"): boolean;
  /** @throws TemplateError where another token stands */
  expect(type: Token["type"], value?: string): Token;
}

export function tokenStream(tokens: readonly Token[]): TokenStream {
  let at = 0;
  const token = (index: number) => tokens[Math.min(index, tokens.length - 1)] as Token;
  const stream: TokenStream = {
    get current() {
      return token(at);
    },
    names: new Set(),
    peek: () => token(at + 1),
    next: () => token(at++),
    is(values, type = "operator") {
      return token(at).type === type && [values].flat().includes(token(at).value);
    },
    skip(values, type) {
      const isThere = stream.is(values, type);
      if (isThere) at += 1;
      return isThere;
    },
    expect(type, value) {
      const found = token(at);
      if (found.type === type && (value === undefined || found.value === value))
        return stream.next();
      throw unexpected(
        found,
        `expected ${nameOf(value === undefined ? { type, value: "" } : { type, value })}, got `,
      );
    },
  };
  return stream;
}

export function unexpected(token: Token, before = "unexpected "): TemplateError {
  return new TemplateError(before + nameOf(token), token.line);
}

function nameOf({ type, value }: Pick<Token, "type" | "value">): string {
  if (type === "end") return "the end of the template";
  if (type === "block_end") return "the end of a block tag";
  if (type === "variable_end") return "the end of a print tag";
  return value === "" ? `a ${type}` : `'${value}'`;
}

/** Goes past the tag that ended a body. */
export function endTag(stream: TokenStream): void {
  stream.next();
  stream.expect("block_end");
}
