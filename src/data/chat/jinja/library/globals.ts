import { bind, textArgument, wholeArgument } from "../arguments.js";
import { checkedKey } from "../parser/parse-target.js";
import { str } from "../text/print.js";
import { strftime } from "../text/strftime.js";
import { notSupported, TemplateError } from "../template-error.js";
import {
  type Arguments,
  Callable,
  Dict,
  iterate,
  Namespace,
  Sequence,
  type Value,
} from "../values.js";

/** As many items as the sandbox of Jinja allows a range. */
const maxRange = 100_000;

const functions: Readonly<Record<string, (args: Arguments, now: () => Date) => Value>> = {
  raise_exception: (args) => {
    const [message] = bind("raise_exception", ["message"], args);
    throw new TemplateError(message === undefined ? "raise_exception() of nothing" : str(message));
  },
  strftime_now: (args, now) => {
    const [format] = bind("strftime_now", ["format"], args);
    return strftime(now(), textArgument(format, "strftime_now"));
  },
  range: ({ positional }) => range(positional.map((value) => wholeArgument(value, "range"))),
  dict: (args) => dictOf(args),
  namespace: (args) =>
    new Namespace(
      new Map(dictOf(args).entries.map(([key, value]) => [checkedKey(str(key)), value])),
    ),
  cycler: ({ positional }) => cycler(positional),
  joiner: (args) => {
    const [separator = ", "] = bind("joiner", ["sep"], args);
    let isFirst = true;
    return new Callable("joiner", () => {
      const text = isFirst ? "" : separator;
      isFirst = false;
      return text;
    });
  },
  lipsum: () => {
    throw notSupported("lipsum");
  },
};

/** What every template can name. */
export function globals(now: () => Date): [string, Value][] {
  return Object.entries(functions).map(([name, call]) => [
    name,
    new Callable(name, (args) => call(args, now)),
  ]);
}

function range(bounds: readonly number[]): Sequence {
  if (bounds.length === 0) throw new TemplateError("range expected at least 1 argument, got 0");
  const [first = 0, second, step = 1] = bounds;
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new TemplateError("range() arg 3 must not be zero");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > maxRange) {
    throw new TemplateError(
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${maxRange}).`,
    );
  }
  const items = Array.from({ length: count }, (_, i) => BigInt(start + i * step));
  const printed = `range(${start}, ${stop}${step === 1 ? "" : `, ${step}`})`;
  return new Sequence("range", items, printed);
}

function dictOf({ positional: [given], named }: Arguments): Dict {
  const entries =
    given === undefined
      ? []
      : given instanceof Dict
        ? given.entries
        : iterate(given).map((pair) => {
            const [key = null, value = null] = iterate(pair);
            return [key, value] as const;
          });
  return new Dict([...entries, ...named]);
}

function cycler(items: readonly Value[]): Callable {
  if (items.length === 0) throw new TemplateError("at least one item has to be provided");
  let at = 0;
  const current = () => items[at % items.length] as Value;
  const next = new Callable("next", () => {
    const value = current();
    at += 1;
    return value;
  });
  const reset = new Callable("reset", () => {
    at = 0;
    return null;
  });
  const attributes = new Map<string, () => Value>([
    ["next", () => next],
    ["reset", () => reset],
    ["current", current],
  ]);
  return new Callable(
    "cycler",
    () => {
      throw new TemplateError("'Cycler' object is not callable");
    },
    attributes,
  );
}
