import { formatPercent } from "./text/format.js";
import { TemplateError } from "./template-error.js";
import {
  Dict,
  isEqual,
  isIterable,
  isList,
  iterate,
  numberOf,
  Sequence,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.js";

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";

/** A Python operator on two values. @throws TemplateError with Python's message */
export function binary(operator: BinaryOperator, a: Value, b: Value): Value {
  // What is undefined is printed as nothing there.
  if (operator === "%" && typeof a === "string") return formatPercent(a, b);
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.reason);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return arithmetic(operator, x, y);
  if (operator === "+") {
    if (typeof a === "string" && typeof b === "string") return a + b;
    if (isList(a) && isList(b)) return [...a, ...b];
    if (a instanceof Tuple && b instanceof Tuple) return new Tuple([...a.items, ...b.items]);
    if (typeof a === "string") {
      throw new TemplateError(`can only concatenate str (not "${typeName(b)}") to str`);
    }
  }
  if (operator === "*") {
    const repeated = repeat(a, b) ?? repeat(b, a);
    if (repeated !== undefined) return repeated;
  }
  throw new TemplateError(
    `unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`,
  );
}

function repeat(value: Value, times: Value): Value | undefined {
  const count = numberOf(times);
  if (typeof count !== "bigint") return undefined;
  const isRepeated = typeof value === "string" || isList(value) || value instanceof Tuple;
  if (isRepeated && BigInt.asIntN(64, count) !== count) {
    throw new TemplateError("cannot fit 'int' into an index-sized integer");
  }
  const n = Math.max(0, Number(count));
  if (typeof value === "string") return value.repeat(n);
  const copies = (items: readonly Value[]) => Array.from({ length: n }, () => items).flat();
  if (isList(value)) return copies(value);
  return value instanceof Tuple ? new Tuple(copies(value.items)) : undefined;
}

/** Of two ints an int, but for `/` and negative powers; otherwise a float. */
function arithmetic(operator: BinaryOperator, a: bigint | number, b: bigint | number): Value {
  if (typeof a === "bigint" && typeof b === "bigint") {
    if (operator === "+") return a + b;
    if (operator === "-") return a - b;
    if (operator === "*") return a * b;
    if (operator === "**" && b >= 0n) return integerPower(a, b);
    if (operator === "//" || operator === "%") {
      if (b === 0n) throw new TemplateError("integer division or modulo by zero");
      const rest = ((a % b) + b) % b;
      return operator === "%" ? rest : (a - rest) / b;
    }
  }
  const [x, y] = [Number(a), Number(b)];
  if (operator === "+") return x + y;
  if (operator === "-") return x - y;
  if (operator === "*") return x * y;
  if (operator === "**") return floatPower(x, y);
  if (y === 0) {
    const name = typeof a === "bigint" && typeof b === "bigint" ? "" : "float ";
    throw new TemplateError(`${operator === "//" ? "float floor " : name}division by zero`);
  }
  if (operator === "/") return x / y;
  return operator === "%" ? floatModulo(x, y) : floorDivision(x, y);
}

/** The remainder with the sign of the divisor, as CPython's `float_rem`. */
function floatModulo(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 === y < 0 ? rest : rest + y;
}

/** The quotient rounded down, as CPython's `float_floor_div` rounds on the way. */
function floorDivision(x: number, y: number): number {
  const rest = x % y;
  const isBelow = rest !== 0 && rest < 0 !== y < 0;
  const quotient = (x - rest) / y - (isBelow ? 1 : 0);
  if (quotient === 0) return x / y < 0 || Object.is(x / y, -0) ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function integerPower(a: bigint, b: bigint): bigint {
  if (b > 10_000n && a !== 0n && a !== 1n && a !== -1n) {
    throw new TemplateError(`the power ${b} is too large`);
  }
  return a ** b;
}

function floatPower(x: number, y: number): number {
  if (x === 0 && y < 0) throw new TemplateError("zero to a negative power");
  const power = x ** y;
  // Python's answer is a complex number.
  if (Number.isNaN(power) && !Number.isNaN(x + y)) {
    throw new TemplateError("a broken power of a negative number is not supported");
  }
  return power;
}

/** `-value` and `+value`. */
export function unary(operator: "+" | "-", value: Value): Value {
  if (value instanceof Undefined) throw new TemplateError(value.reason);
  const number = numberOf(value);
  if (number === undefined) {
    throw new TemplateError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
  }
  return operator === "-" ? -number : number;
}

/** `item in container`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === "string") {
    if (typeof item === "string") return container.includes(item);
    throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Dict) return container.get(item) !== undefined;
  if (isIterable(container)) return iterate(container).some((other) => isEqual(other, item));
  throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`);
}

/** `value[start:stop:step]`. */
export function slice(value: Value, [start, stop, step]: readonly [Value, Value, Value]): Value {
  if (value instanceof Undefined) throw new TemplateError(value.reason);
  const isText = typeof value === "string";
  const isSliced = isText || isList(value) || value instanceof Tuple || isRange(value);
  if (!isSliced) throw new TemplateError(`'${typeName(value)}' object is not subscriptable`);
  const items = iterate(value);
  const picked = indices(items.length, start, stop, step).map((i) => items[i] as Value);
  if (isText) return picked.join("");
  if (value instanceof Tuple) return new Tuple(picked);
  if (isList(value)) return picked;
  // Printed it would be a range of other bounds; only its items are known.
  return new Sequence("generator", picked);
}

function isRange(value: Value): boolean {
  return value instanceof Sequence && value.type === "range";
}

function indices(length: number, start: Value, stop: Value, step: Value): number[] {
  const whole = (value: Value): number | undefined => {
    if (value === null) return undefined;
    const number = numberOf(value);
    if (typeof number === "bigint") return Number(number);
    throw new TemplateError("slice indices must be integers or None");
  };
  const by = whole(step) ?? 1;
  if (by === 0) throw new TemplateError("slice step cannot be zero");
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1];
  const bound = (value: Value, fallback: number): number => {
    const at = whole(value);
    if (at === undefined) return fallback;
    return Math.min(high, Math.max(low, at < 0 ? at + length : at));
  };
  const [first, end] =
    by > 0 ? [bound(start, low), bound(stop, high)] : [bound(start, high), bound(stop, low)];
  const found: number[] = [];
  for (let i = first; by > 0 ? i < end : i > end; i += by) found.push(i);
  return found;
}
