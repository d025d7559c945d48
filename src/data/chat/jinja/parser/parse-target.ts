import type { Target } from "../scope.js";
import { TemplateError } from "../template-error.js";
import { type TokenStream, unexpected } from "./token-stream.js";
import { iterate, Namespace, type Value } from "../values.js";

const reserved = ["true", "false", "none", "True", "False", "None"];

/** What is assigned to: a name, several names, with `withAttributes` also `namespace.name`. */
export function parseTarget(
  stream: TokenStream,
  options: { readonly withAttributes?: boolean },
): Target {
  const parts: Target[] = [];
  let isTuple = false;
  do {
    const isEnd =
      stream.is(["=", ")"]) || stream.is("in", "name") || stream.current.type === "block_end";
    if (parts.length > 0 && isEnd) break;
    parts.push(parsePart(stream, options));
    isTuple ||= stream.is(",");
  } while (stream.skip(","));
  return isTuple ? unpack(parts) : (parts[0] as Target);
}

function parsePart(stream: TokenStream, options: { readonly withAttributes?: boolean }): Target {
  if (stream.skip("(")) {
    const inner = parseTarget(stream, options);
    stream.expect("operator", ")");
    return inner;
  }
  const token = stream.next();
  if (token.type !== "name" || reserved.includes(token.value))
    throw unexpected(token, "can't assign to ");
  const name = token.value;
  if (options.withAttributes === true && stream.skip("."))
    return attributeOf(name, stream.expect("name").value);
  return (scope, value) => scope.set(name, value);
}

function attributeOf(name: string, key: string): Target {
  return (scope, value) => {
    const owner = scope.get(name);
    if (!(owner instanceof Namespace)) {
      throw new TemplateError("cannot assign attribute on non-namespace object");
    }
    owner.values.set(checkedKey(key), value);
  };
}

/** A namespace's key. @throws TemplateError for one that begins with an underscore */
export function checkedKey(key: string): string {
  if (!key.startsWith("_")) return key;
  throw new TemplateError(
    `Chat templates cannot store underscore-prefixed attributes on a namespace, but got '${key}'.`,
  );
}

function unpack(parts: readonly Target[]): Target {
  return (scope, value) => {
    const items = iterate(value);
    if (items.length > parts.length) {
      throw new TemplateError(`too many values to unpack (expected ${parts.length})`);
    }
    if (items.length < parts.length) {
      throw new TemplateError(
        `not enough values to unpack (expected ${parts.length}, got ${items.length})`,
      );
    }
    for (const [i, part] of parts.entries()) part(scope, items[i] as Value);
  };
}
