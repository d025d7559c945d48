import { contains } from "../operators.js";
import { str } from "../text/print.js";
import { notSupported, TemplateError } from "../template-error.js";
import { textMethod } from "../text/text-methods.js";
import {
  type Arguments,
  Callable,
  compare,
  Dict,
  isEqual,
  isIterable,
  isList,
  numberOf,
  Sequence,
  Undefined,
  type Value,
} from "../values.js";
import type { Test } from "./library-types.js";

const unary =
  (test: (value: Value) => boolean): Test =>
  (value) =>
    test(value);

const binary =
  (test: (value: Value, other: Value) => boolean): Test =>
  (value, { positional: [other] }) => {
    if (other === undefined) throw new TemplateError("the test needs a value to compare with");
    return test(value, other);
  };

const equal = binary(isEqual);
const unequal = binary((a, b) => !isEqual(a, b));
const less = binary((a, b) => compare(a, b, "<") < 0);
const lessOrEqual = binary((a, b) => compare(a, b, "<=") <= 0);
const greater = binary((a, b) => compare(a, b, ">") > 0);
const greaterOrEqual = binary((a, b) => compare(a, b, ">=") >= 0);

const noArguments: Arguments = { positional: [], named: new Map() };
const isCase = (name: "islower" | "isupper") =>
  unary((value) => textMethod(name)?.(str(value), noArguments) === true);

function remainder(value: Value, by: bigint): bigint | number {
  const number = numberOf(value);
  if (typeof number === "bigint") return ((number % by) + by) % by;
  if (number === undefined) throw new TemplateError("not a number");
  return ((number % Number(by)) + Number(by)) % Number(by);
}

export const tests: Readonly<Record<string, Test>> = {
  boolean: unary((value) => typeof value === "boolean"),
  callable: unary((value) => value instanceof Callable || value instanceof Undefined),
  defined: unary((value) => !(value instanceof Undefined)),
  undefined: unary((value) => value instanceof Undefined),
  divisibleby: binary((value, by) => {
    const number = numberOf(by);
    if (typeof number !== "bigint" || number === 0n) throw new TemplateError("division by zero");
    return remainder(value, number) == 0;
  }),
  even: unary((value) => remainder(value, 2n) == 0),
  odd: unary((value) => remainder(value, 2n) == 1),
  false: unary((value) => value === false),
  true: unary((value) => value === true),
  none: unary((value) => value === null),
  filter: (value, _args, library) => library.isFilter(str(value)),
  test: unary((value) => Object.hasOwn(tests, str(value))),
  float: unary((value) => typeof value === "number"),
  integer: unary((value) => typeof value === "bigint"),
  number: unary((value) => numberOf(value) !== undefined),
  string: unary((value) => typeof value === "string"),
  mapping: unary((value) => value instanceof Dict),
  iterable: unary(isIterable),
  sequence: unary(
    (value) =>
      isIterable(value) &&
      (typeof value === "string" ||
        isList(value) ||
        !(value instanceof Sequence) ||
        value.type === "range"),
  ),
  in: binary((value, container) => contains(container, value)),
  lower: isCase("islower"),
  upper: isCase("isupper"),
  sameas: binary((value, other) => {
    const isSingle = (each: Value) => each === null || typeof each === "boolean";
    if (isSingle(value) || isSingle(other)) return value === other;
    throw notSupported("sameas of anything but true, false and none");
  }),
  eq: equal,
  equalto: equal,
  "==": equal,
  ne: unequal,
  "!=": unequal,
  lt: less,
  lessthan: less,
  "<": less,
  le: lessOrEqual,
  "<=": lessOrEqual,
  gt: greater,
  greaterthan: greater,
  ">": greater,
  ge: greaterOrEqual,
  ">=": greaterOrEqual,
};
