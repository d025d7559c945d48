import { attribute, item } from "../attributes.js";
import { type Token, unescape } from "./lexer.js";
import { library } from "../library/library.js";
import { binary, type BinaryOperator, contains, slice, unary } from "../operators.js";
import { str } from "../text/print.js";
import type { Expression, Scope } from "../scope.js";
import { notSupported, TemplateError } from "../template-error.js";
import { type TokenStream, unexpected } from "./token-stream.js";
import {
  type Arguments,
  Callable,
  compare,
  Dict,
  isEqual,
  isTrue,
  iterate,
  orElse,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "../values.js";

export type ArgumentsExpression = (scope: Scope) => Arguments;

/** An expression of Jinja's grammar, `a if b else c` and whatever binds tighter. */
export function parseExpression(stream: TokenStream): Expression {
  let expression = parseOr(stream);
  while (stream.is("if", "name")) {
    const { line } = stream.next();
    const value = expression;
    const test = parseOr(stream);
    const other = stream.skip("else", "name") ? parseExpression(stream) : undefined;
    const reason = `the inline if-expression on line ${line} evaluated to false and no else section was defined.`;
    expression = (scope) =>
      isTrue(test(scope)) ? value(scope) : orElse(other?.(scope), () => new Undefined(reason));
  }
  return expression;
}

/** One expression, or a tuple where commas follow. */
export function parseTuple(
  stream: TokenStream,
  part: (stream: TokenStream) => Expression = parseExpression,
  isInParentheses = false,
): Expression {
  const parts: Expression[] = [];
  let isTuple = false;
  for (;;) {
    if (parts.length > 0 && !stream.skip(",")) break;
    if (parts.length > 0) isTuple = true;
    if (isTupleEnd(stream)) break;
    parts.push(part(stream));
  }
  if (!isTuple && parts.length > 0) return parts[0] as Expression;
  if (parts.length === 0 && !isInParentheses)
    throw unexpected(stream.current, "Expected an expression, got ");
  return (scope) => new Tuple(parts.map((each) => each(scope)));
}

function isTupleEnd(stream: TokenStream): boolean {
  const { type } = stream.current;
  return (
    type === "block_end" || type === "variable_end" || stream.is(")") || stream.is("in", "name")
  );
}

/** An expression without `if`, as a loop's list is. */
export function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream);
  while (stream.skip("or", "name")) {
    const [a, b] = [left, parseAnd(stream)];
    left = (scope) => {
      const value = a(scope);
      return isTrue(value) ? value : b(scope);
    };
  }
  return left;
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream);
  while (stream.skip("and", "name")) {
    const [a, b] = [left, parseNot(stream)];
    left = (scope) => {
      const value = a(scope);
      return isTrue(value) ? b(scope) : value;
    };
  }
  return left;
}

function parseNot(stream: TokenStream): Expression {
  if (!stream.skip("not", "name")) return parseCompare(stream);
  const value = parseNot(stream);
  return (scope) => !isTrue(value(scope));
}

const comparisons: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  "==": isEqual,
  "!=": (a, b) => !isEqual(a, b),
  "<": (a, b) => compare(a, b, "<") < 0,
  "<=": (a, b) => compare(a, b, "<=") <= 0,
  ">": (a, b) => compare(a, b, ">") > 0,
  ">=": (a, b) => compare(a, b, ">=") >= 0,
  in: (a, b) => contains(b, a),
  "not in": (a, b) => !contains(b, a),
};

function parseCompare(stream: TokenStream): Expression {
  const first = parseSum(stream);
  const rest: (readonly [(a: Value, b: Value) => boolean, Expression])[] = [];
  for (;;) {
    const operator = comparison(stream);
    if (operator === undefined) break;
    rest.push([comparisons[operator] as (a: Value, b: Value) => boolean, parseSum(stream)]);
  }
  if (rest.length === 0) return first;
  // a < b < c asks both; what stands between is evaluated once.
  return (scope) => {
    let left = first(scope);
    for (const [holds, expression] of rest) {
      const right = expression(scope);
      if (!holds(left, right)) return false;
      left = right;
    }
    return true;
  };
}

function comparison(stream: TokenStream): string | undefined {
  if (stream.is(["==", "!=", "<", "<=", ">", ">="])) return stream.next().value;
  if (stream.skip("in", "name")) return "in";
  if (!stream.is("not", "name") || stream.peek().value !== "in") return undefined;
  stream.next();
  stream.next();
  return "not in";
}

/** A level of operators that bind to the left. */
const level =
  (operators: readonly string[], part: (stream: TokenStream) => Expression) =>
  (stream: TokenStream): Expression => {
    let left = part(stream);
    while (stream.is(operators)) {
      const operator = stream.next().value as BinaryOperator;
      const [a, b] = [left, part(stream)];
      left = (scope) => binary(operator, a(scope), b(scope));
    }
    return left;
  };

const parsePower = level(["**"], (stream) => parseUnary(stream));
const parseProduct = level(["*", "/", "//", "%"], parsePower);
const parseSum = level(["+", "-"], parseConcat);

function parseConcat(stream: TokenStream): Expression {
  const parts = [parseProduct(stream)];
  while (stream.skip("~")) parts.push(parseProduct(stream));
  if (parts.length === 1) return parts[0] as Expression;
  return (scope) => parts.map((part) => str(part(scope))).join("");
}

function parseUnary(stream: TokenStream, withFilters = true): Expression {
  const isSigned = stream.is(["-", "+"]);
  const sign = isSigned ? (stream.next().value as "-" | "+") : undefined;
  const inner = sign === undefined ? parsePrimary(stream) : parseUnary(stream, false);
  const signed: Expression = sign === undefined ? inner : (scope) => unary(sign, inner(scope));
  const value = parsePostfix(stream, signed);
  return withFilters ? parseFilters(stream, value) : value;
}

const constants: Readonly<Record<string, Value>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};

function parsePrimary(stream: TokenStream): Expression {
  const token = stream.next();
  const { type, value } = token;
  if (type === "name") return nameExpression(stream, value);
  if (type === "string") {
    let text = unescape(token);
    while (stream.current.type === "string") text += unescape(stream.next());
    return () => text;
  }
  if (type === "integer") {
    const whole = BigInt(value.replaceAll("_", "").toLowerCase());
    return () => whole;
  }
  if (type === "float") {
    const number = Number(value.replaceAll("_", ""));
    return () => number;
  }
  if (type === "operator" && value === "(") {
    const inside = parseTuple(stream, parseExpression, true);
    stream.expect("operator", ")");
    return inside;
  }
  if (type === "operator" && value === "[") return parseList(stream);
  if (type === "operator" && value === "{") return parseDict(stream);
  const before = type.endsWith("_end") ? "Expected an expression, got " : "unexpected ";
  throw unexpected(token, before);
}

function nameExpression(stream: TokenStream, name: string): Expression {
  if (Object.hasOwn(constants, name)) return () => constants[name] as Value;
  stream.names.add(name);
  return (scope) => orElse(scope.get(name), () => new Undefined(`'${name}' is undefined`));
}

/** Entries up to a closing bracket, a comma at the end allowed. */
function parseEntries<T>(stream: TokenStream, close: string, entry: () => T): T[] {
  const entries: T[] = [];
  while (!stream.skip(close)) {
    if (entries.length > 0) stream.expect("operator", ",");
    if (stream.skip(close)) break;
    entries.push(entry());
  }
  return entries;
}

function parseList(stream: TokenStream): Expression {
  const items = parseEntries(stream, "]", () => parseExpression(stream));
  return (scope) => items.map((each) => each(scope));
}

function parseDict(stream: TokenStream): Expression {
  const entries = parseEntries(stream, "}", () => {
    const key = parseExpression(stream);
    stream.expect("operator", ":");
    return [key, parseExpression(stream)] as const;
  });
  return (scope) => new Dict(entries.map(([key, value]) => [key(scope), value(scope)]));
}

function parsePostfix(stream: TokenStream, start: Expression): Expression {
  let value = start;
  for (;;) {
    const owner = value;
    if (stream.skip(".")) value = parseDot(stream, owner);
    else if (stream.skip("[")) value = parseSubscript(stream, owner);
    else if (stream.is("(")) {
      const args = parseArguments(stream);
      value = (scope) => call(owner(scope), args(scope));
    } else return value;
  }
}

function parseDot(stream: TokenStream, owner: Expression): Expression {
  const token = stream.next();
  if (token.type === "name") return (scope) => attribute(owner(scope), token.value);
  if (token.type !== "integer") throw unexpected(token, "expected name or number, got ");
  return (scope) => item(owner(scope), BigInt(token.value));
}

function parseSubscript(stream: TokenStream, owner: Expression): Expression {
  const parts: (Expression | Slice)[] = [];
  do parts.push(parseIndex(stream));
  while (stream.skip(","));
  stream.expect("operator", "]");
  const [index] = parts;
  if (parts.length > 1 || index === undefined) throw notSupported("a subscript of several parts");
  if (typeof index === "function") return (scope) => item(owner(scope), index(scope));
  const at = (scope: Scope, expression: Expression | undefined) => expression?.(scope) ?? null;
  const { start, stop, step } = index;
  return (scope) => slice(owner(scope), [at(scope, start), at(scope, stop), at(scope, step)]);
}

interface Slice {
  readonly start: Expression | undefined;
  readonly stop: Expression | undefined;
  readonly step: Expression | undefined;
}

function parseIndex(stream: TokenStream): Expression | Slice {
  const part = () => (stream.is([":", "]", ","]) ? undefined : parseExpression(stream));
  const start = part();
  if (!stream.skip(":")) {
    if (start === undefined) throw unexpected(stream.current);
    return start;
  }
  const stop = part();
  return { start, stop, step: stream.skip(":") ? part() : undefined };
}

/** The arguments of a call, in parentheses. */
export function parseArguments(stream: TokenStream): ArgumentsExpression {
  stream.expect("operator", "(");
  const positional: ((scope: Scope) => readonly Value[])[] = [];
  const named: ((scope: Scope) => readonly (readonly [string, Value])[])[] = [];
  parseEntries(stream, ")", () => {
    if (stream.skip("*")) {
      const list = parseExpression(stream);
      positional.push((scope) => iterate(list(scope)));
    } else if (stream.skip("**")) {
      const dict = parseExpression(stream);
      named.push((scope) => entriesOf(dict(scope)));
    } else if (stream.current.type === "name" && stream.peek().value === "=") {
      const name = stream.next().value;
      stream.next();
      const value = parseExpression(stream);
      named.push((scope) => [[name, value(scope)]]);
    } else {
      if (named.length > 0)
        throw new TemplateError("invalid syntax for function call expression", stream.current.line);
      const value = parseExpression(stream);
      positional.push((scope) => [value(scope)]);
    }
  });
  return (scope) => ({
    positional: positional.flatMap((part) => part(scope)),
    named: new Map(named.flatMap((part) => part(scope))),
  });
}

function entriesOf(value: Value): [string, Value][] {
  if (value instanceof Dict) return value.entries.map(([key, each]) => [str(key), each]);
  throw new TemplateError(`argument after ** must be a mapping, not ${typeName(value)}`);
}

export function call(callee: Value, args: Arguments): Value {
  if (callee instanceof Callable) return callee.call(args);
  if (callee instanceof Undefined) throw new TemplateError(callee.reason);
  throw new TemplateError(`'${typeName(callee)}' object is not callable`);
}

const noArguments: ArgumentsExpression = () => ({ positional: [], named: new Map() });

/** Filters and tests behind a value: `| upper`, `is defined`. */
function parseFilters(stream: TokenStream, start: Expression): Expression {
  let value = start;
  for (;;) {
    if (stream.is("|")) value = parseFilter(stream, value);
    else if (stream.skip("is", "name")) value = parseTest(stream, value);
    else if (stream.is("(")) {
      const [callee, args] = [value, parseArguments(stream)];
      value = (scope) => call(callee(scope), args(scope));
    } else return value;
  }
}

/** One filter after its `|`. */
function parseFilter(stream: TokenStream, value: Expression): Expression {
  stream.expect("operator", "|");
  const apply = parseFilterCall(stream);
  return apply(value);
}

/** A filter's name and arguments; gives what the filter makes of an expression. */
export function parseFilterCall(stream: TokenStream): (value: Expression) => Expression {
  const name = dottedName(stream);
  const args = stream.is("(") ? parseArguments(stream) : noArguments;
  return (value) => {
    const filtered: Expression = (scope) =>
      library.findFilter(name)(value(scope), args(scope), library);
    return name === "safe" ? Object.assign(filtered, { printed: value }) : filtered;
  };
}

function dottedName(stream: TokenStream): string {
  let name = stream.expect("name").value;
  while (stream.skip(".")) name += `.${stream.expect("name").value}`;
  return name;
}

function parseTest(stream: TokenStream, value: Expression): Expression {
  const isNegated = stream.skip("not", "name");
  const name = dottedName(stream);
  const args = testArguments(stream);
  return (scope) => library.findTest(name)(value(scope), args(scope), library) !== isNegated;
}

/** A test takes its argument in parentheses or as one word: `is divisibleby 3`. */
function testArguments(stream: TokenStream): ArgumentsExpression {
  if (stream.is("(")) return parseArguments(stream);
  const startsValue = (token: Token) =>
    ["name", "string", "integer", "float"].includes(token.type) || stream.is(["[", "{"]);
  const isNext = stream.is(["else", "or", "and", "is", "if", "in", "not"], "name");
  if (isNext || !startsValue(stream.current)) return noArguments;
  const value = parsePostfix(stream, parsePrimary(stream));
  return (scope) => ({ positional: [value(scope)], named: new Map() });
}
