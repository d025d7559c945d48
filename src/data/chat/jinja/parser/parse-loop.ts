import { parseExpression, parseOr, parseTuple } from "./parse-expression.js";
import { parseTarget } from "./parse-target.js";
import { type Output, type ParseBody, Scope, type Statement } from "../scope.js";
import { TemplateError } from "../template-error.js";
import { endTag, type TokenStream } from "./token-stream.js";
import {
  type Arguments,
  Callable,
  isEqual,
  isTrue,
  iterate,
  orElse,
  Tuple,
  Undefined,
  type Value,
} from "../values.js";

/** `{% for target in list if condition recursive %} … {% else %} … {% endfor %}`. */
export function parseFor(stream: TokenStream, parseBody: ParseBody): Statement {
  const target = parseTarget(stream, {});
  stream.expect("name", "in");
  // An `if` behind the list belongs to the loop.
  const list = parseTuple(stream, parseOr);
  const condition = stream.skip("if", "name") ? parseExpression(stream) : undefined;
  const isRecursive = stream.skip("recursive", "name");
  stream.expect("block_end");
  const body = parseBody(["endfor", "else"]);
  const hasElse = stream.is("else", "name");
  if (hasElse) endTag(stream);
  const otherwise = hasElse ? parseBody(["endfor"]) : undefined;
  endTag(stream);

  const run = (value: Value, scope: Scope, output: Output, depth: number): void => {
    const scopeOf = (item: Value): Scope => {
      const inner = new Scope(scope);
      target(inner, item);
      return inner;
    };
    const items = iterate(value).filter(
      (item) => condition === undefined || isTrue(condition(scopeOf(item))),
    );
    const again = (args: Arguments): string => {
      if (!isRecursive) {
        throw new TemplateError(
          "The loop must have the 'recursive' marker to be called recursively.",
        );
      }
      const inner: Output = { text: "", spans: undefined };
      run(args.positional[0] ?? null, scope, inner, depth + 1);
      return inner.text;
    };
    const position = { at: 0 };
    const loop = loopOf(items, position, depth, again);
    for (const [i, item] of items.entries()) {
      position.at = i;
      const inner = scopeOf(item);
      inner.set("loop", loop);
      if (body(inner, output) === "break") break;
    }
    if (items.length === 0) otherwise?.(new Scope(scope), output);
  };
  return (scope, output) => {
    run(list(scope), scope, output, 0);
    return undefined;
  };
}

/** Jinja's `loop`. */
function loopOf(
  items: readonly Value[],
  position: { readonly at: number },
  depth: number,
  again: (args: Arguments) => Value,
): Callable {
  const count = items.length;
  const whole = (value: () => number) => () => BigInt(value());
  const neighbour = (offset: number, name: string) => () =>
    orElse(items[position.at + offset], () => new Undefined(`there is no ${name} item`));
  let last: Value | undefined;
  const cycle = new Callable("cycle", ({ positional }) => {
    const value = positional[position.at % positional.length];
    if (value === undefined) throw new TemplateError("no items for cycling given");
    return value;
  });
  const changed = new Callable("changed", ({ positional }) => {
    const value = new Tuple(positional);
    const isChanged = last === undefined || !isEqual(last, value);
    last = value;
    return isChanged;
  });
  return new Callable(
    "loop",
    again,
    new Map<string, () => Value>([
      ["index", whole(() => position.at + 1)],
      ["index0", whole(() => position.at)],
      ["revindex", whole(() => count - position.at)],
      ["revindex0", whole(() => count - position.at - 1)],
      ["first", () => position.at === 0],
      ["last", () => position.at === count - 1],
      ["length", whole(() => count)],
      ["depth", whole(() => depth + 1)],
      ["depth0", whole(() => depth)],
      ["previtem", neighbour(-1, "previous")],
      ["nextitem", neighbour(1, "next")],
      ["cycle", () => cycle],
      ["changed", () => changed],
    ]),
  );
}
