import { tokenize } from "./lexer.js";
import { parseFor } from "./parse-loop.js";
import { parseCall, parseMacro } from "./parse-macro.js";
import { parseExpression, parseFilterCall, parseTuple } from "./parse-expression.js";
import { parseTarget } from "./parse-target.js";
import { str } from "../text/print.js";
import { type Expression, type ParseBody, render, Scope, type Statement } from "../scope.js";
import { notSupported, TemplateError } from "../template-error.js";
import { endTag, type TokenStream, tokenStream, unexpected } from "./token-stream.js";
import { isTrue } from "../values.js";

/** @throws TemplateError with the line of what is not Jinja, or not supported */
export function parseTemplate(source: string): Statement {
  const stream = tokenStream(tokenize(source));
  const parseBody: ParseBody = (ends) => {
    const statements: Statement[] = [];
    const { line } = stream.current;
    for (;;) {
      const token = stream.next();
      if (token.type === "end") {
        if (ends.length === 0) break;
        throw new TemplateError(`the template ends where ${ends.join(" or ")} is missing`, line);
      }
      if (token.type === "text") statements.push(write(token.value));
      else if (token.type === "variable_begin")
        statements.push(located(token.line, parsePrint(stream)));
      else {
        if (ends.includes(stream.current.value)) break;
        statements.push(located(token.line, parseTag(stream, parseBody)));
      }
    }
    return inOrder(statements);
  };
  return parseBody([]);
}

function write(text: string): Statement {
  return (_scope, output) => {
    output.text += text;
    return undefined;
  };
}

function inOrder(statements: readonly Statement[]): Statement {
  return (scope, output) => {
    for (const statement of statements) {
      const flow = statement(scope, output);
      if (flow !== undefined) return flow;
    }
    return undefined;
  };
}

/** A statement whose errors say its line, unless one inside it has said its own. */
function located(line: number, statement: Statement): Statement {
  return (scope, output) => {
    try {
      return statement(scope, output);
    } catch (error) {
      if (error instanceof TemplateError) error.line ??= line;
      throw error;
    }
  };
}

function parsePrint(stream: TokenStream): Statement {
  const value = parseTuple(stream);
  stream.expect("variable_end");
  const printed = value.printed ?? value;
  return (scope, output) => {
    output.text += str(printed(scope));
    return undefined;
  };
}

type ParseTag = (stream: TokenStream, parseBody: ParseBody) => Statement;

const tags: Readonly<Record<string, ParseTag>> = {
  if: parseIf,
  for: parseFor,
  set: parseSet,
  macro: parseMacro,
  call: parseCall,
  with: parseWith,
  filter: parseFilterBlock,
  generation: parseGeneration,
  break: flow("break"),
  continue: flow("continue"),
};
const otherTags = ["autoescape", "block", "extends", "from", "import", "include"];

function parseTag(stream: TokenStream, parseBody: ParseBody): Statement {
  const token = stream.next();
  if (token.type !== "name") throw unexpected(token, "tag name expected, got ");
  if (Object.hasOwn(tags, token.value)) return (tags[token.value] as ParseTag)(stream, parseBody);
  const { message } = otherTags.includes(token.value)
    ? notSupported(`the tag "${token.value}"`)
    : new TemplateError(`Encountered unknown tag '${token.value}'.`);
  throw new TemplateError(message, token.line);
}

function flow(kind: "break" | "continue"): ParseTag {
  return (stream) => {
    stream.expect("block_end");
    return () => kind;
  };
}

function parseIf(stream: TokenStream, parseBody: ParseBody): Statement {
  const branches: { readonly test: Expression; readonly body: Statement }[] = [];
  do {
    const test = parseTuple(stream);
    stream.expect("block_end");
    branches.push({ test, body: parseBody(["elif", "else", "endif"]) });
  } while (stream.skip("elif", "name"));
  const isElse = stream.is("else", "name");
  if (isElse) endTag(stream);
  const otherwise = isElse ? parseBody(["endif"]) : undefined;
  endTag(stream);
  return (scope, output) => {
    const branch = branches.find(({ test }) => isTrue(test(scope)));
    return (branch?.body ?? otherwise)?.(scope, output);
  };
}

function parseSet(stream: TokenStream, parseBody: ParseBody): Statement {
  const target = parseTarget(stream, { withAttributes: true });
  if (stream.skip("=")) {
    const value = parseTuple(stream);
    stream.expect("block_end");
    return (scope) => {
      target(scope, value(scope));
      return undefined;
    };
  }
  let filtered: Expression = (scope) => scope.get(blockText) as string;
  while (stream.skip("|")) filtered = parseFilterCall(stream)(filtered);
  stream.expect("block_end");
  const body = parseBody(["endset"]);
  endTag(stream);
  return (scope) => {
    const text = render(body, new Scope(scope));
    target(scope, filtered(new Scope(scope, [[blockText, text]])));
    return undefined;
  };
}

/** Not a name that a template can write. */
const blockText = "text of the block";

function parseWith(stream: TokenStream, parseBody: ParseBody): Statement {
  const values: { readonly target: ReturnType<typeof parseTarget>; readonly value: Expression }[] =
    [];
  while (stream.current.type !== "block_end") {
    if (values.length > 0) stream.expect("operator", ",");
    const target = parseTarget(stream, {});
    stream.expect("operator", "=");
    values.push({ target, value: parseExpression(stream) });
  }
  stream.expect("block_end");
  const body = parseBody(["endwith"]);
  endTag(stream);
  return (scope, output) => {
    const inner = new Scope(scope);
    for (const { target, value } of values) target(inner, value(scope));
    return body(inner, output);
  };
}

function parseFilterBlock(stream: TokenStream, parseBody: ParseBody): Statement {
  let filtered: Expression = (scope) => scope.get(blockText) as string;
  do filtered = parseFilterCall(stream)(filtered);
  while (stream.skip("|"));
  stream.expect("block_end");
  const body = parseBody(["endfilter"]);
  endTag(stream);
  return (scope, output) => {
    const text = render(body, new Scope(scope));
    output.text += str(filtered(new Scope(scope, [[blockText, text]])));
    return undefined;
  };
}

/** `{% generation %}`: what stands inside is what the assistant writes. */
function parseGeneration(stream: TokenStream, parseBody: ParseBody): Statement {
  stream.expect("block_end");
  const body = parseBody(["endgeneration"]);
  endTag(stream);
  return (scope, output) => {
    const start = output.text.length;
    body(new Scope(scope), output);
    if (output.spans === undefined) {
      throw notSupported("a generation block inside of a macro, a filter or a set block");
    }
    output.spans.push({ start, end: output.text.length });
    return undefined;
  };
}
