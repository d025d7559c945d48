import { call, parseArguments, parseExpression } from "./parse-expression.js";
import { str } from "../text/print.js";
import { type Expression, type ParseBody, render, Scope, type Statement } from "../scope.js";
import { TemplateError } from "../template-error.js";
import { endTag, type TokenStream } from "./token-stream.js";
import { type Arguments, Callable, Dict, orElse, Tuple, Undefined, type Value } from "../values.js";

interface Parameter {
  readonly name: string;
  readonly fallback: Expression | undefined;
}

/** `{% macro name(a, b=1) %} … {% endmacro %}`. */
export function parseMacro(stream: TokenStream, parseBody: ParseBody): Statement {
  const { value: name } = stream.expect("name");
  const macro = parseDefinition(stream, parseBody, name, "endmacro");
  return (scope) => {
    scope.set(name, macro(scope));
    return undefined;
  };
}

/** `{% call(a) macro(…) %} … {% endcall %}`: the body is what the macro calls as `caller`. */
export function parseCall(stream: TokenStream, parseBody: ParseBody): Statement {
  const parameters = stream.is("(") ? parseParameters(stream) : [];
  const { value: callee } = stream.expect("name");
  const args = parseArguments(stream);
  const caller = parseRest(stream, parseBody, { name: "caller", parameters, end: "endcall" });
  return (scope, output) => {
    const { positional, named } = args(scope);
    const withCaller = {
      positional,
      named: new Map([...named, ["caller", caller(scope)] as const]),
    };
    const macro = orElse(scope.get(callee), () => new Undefined(`'${callee}' is undefined`));
    output.text += str(call(macro, withCaller));
    return undefined;
  };
}

function parseDefinition(stream: TokenStream, parseBody: ParseBody, name: string, end: string) {
  return parseRest(stream, parseBody, { name, parameters: parseParameters(stream), end });
}

function parseParameters(stream: TokenStream): Parameter[] {
  const parameters: Parameter[] = [];
  stream.expect("operator", "(");
  while (!stream.skip(")")) {
    if (parameters.length > 0) stream.expect("operator", ",");
    const { value: name } = stream.expect("name");
    const fallback = stream.skip("=") ? parseExpression(stream) : undefined;
    if (fallback === undefined && parameters.at(-1)?.fallback !== undefined) {
      throw new TemplateError("non-default argument follows default argument");
    }
    parameters.push({ name, fallback });
  }
  return parameters;
}

/** The body of a macro; gives the macro as it is in a scope. */
function parseRest(
  stream: TokenStream,
  parseBody: ParseBody,
  { name, parameters, end }: { name: string; parameters: readonly Parameter[]; end: string },
): (scope: Scope) => Callable {
  stream.expect("block_end");
  const outer = new Set(stream.names);
  stream.names.clear();
  const body = parseBody([end]);
  endTag(stream);
  const takes = new Set(stream.names);
  for (const each of outer) stream.names.add(each);
  return (scope) =>
    new Callable(name, (args) => {
      const inner = new Scope(scope, extras(name, parameters, takes, args));
      for (const [i, parameter] of parameters.entries()) {
        const given = orElse(args.positional[i], () => argument(parameter, args, inner));
        inner.set(parameter.name, given);
      }
      return render(body, inner);
    });
}

/** An argument given by its name, or the parameter's default. */
function argument({ name, fallback }: Parameter, { named }: Arguments, scope: Scope): Value {
  const missing = () => new Undefined(`parameter '${name}' was not provided`);
  return orElse(named.get(name), () => orElse(fallback?.(scope), missing));
}

/** `varargs`, `kwargs` and `caller`, which a macro takes by reading them. */
function extras(
  name: string,
  parameters: readonly Parameter[],
  takes: ReadonlySet<string>,
  { positional, named }: Arguments,
): [string, Value][] {
  const own = parameters.map((parameter) => parameter.name);
  // What a position has given already is no name that is free.
  const free = own.slice(positional.length);
  const rest = [...named].filter(([key]) => !free.includes(key) && key !== "caller");
  const found: [string, Value][] = [];
  const caller = named.get("caller");
  if (takes.has("caller")) {
    found.push(["caller", orElse(caller, () => new Undefined("No caller defined"))]);
  } else if (caller !== undefined) {
    throw new TemplateError(
      `macro '${name}' was invoked with two values for the special caller argument.`,
    );
  }
  if (takes.has("kwargs")) found.push(["kwargs", new Dict(rest)]);
  else if (rest.length > 0) {
    throw new TemplateError(`macro '${name}' takes no keyword argument '${rest[0]?.[0]}'`);
  }
  if (takes.has("varargs")) found.push(["varargs", new Tuple(positional.slice(own.length))]);
  else if (positional.length > own.length) {
    throw new TemplateError(`macro '${name}' takes not more than ${own.length} argument(s)`);
  }
  return found;
}
