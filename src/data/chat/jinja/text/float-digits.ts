/** Beyond these no float has another digit than 0: the longest have 1074 decimals. */
const mostDecimals = 1100;

/** A float with so many decimals, as Python's `%f`: rounded from its exact value, halves to the even digit. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return special(value);
  const own = Math.min(decimals, mostDecimals);
  const digits = String(scaled(value, own)).padStart(own + 1, "0");
  const whole = digits.slice(0, digits.length - own);
  return signOf(value) + withDecimals(whole, digits.slice(whole.length), decimals);
}

/** One digit, so many decimals and a power of ten of two digits or more, as Python's `%e`. */
export function exponential(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return special(value);
  const own = Math.min(decimals, mostDecimals);
  const { digits, power } = leadingDigits(value, own);
  const size = String(Math.abs(power)).padStart(2, "0");
  const number = withDecimals(digits.slice(0, 1), digits.slice(1), decimals);
  return `${signOf(value)}${number}e${power < 0 ? "-" : "+"}${size}`;
}

/** So many digits without zeros at the end, with a power of ten where that is short, as Python's `%g`. */
export function general(value: number, precision: number): string {
  if (!Number.isFinite(value)) return special(value);
  const digits = Math.max(1, Math.min(precision, mostDecimals));
  const { power } = leadingDigits(value, digits - 1);
  const isFixed = power >= -4 && power < digits;
  const text = isFixed ? fixed(value, digits - 1 - power) : exponential(value, digits - 1);
  return text.replace(/\.0+(?=e|$)|(\.\d*?)0+(?=e|$)/, "$1");
}

function special(value: number): string {
  if (Number.isNaN(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

const signOf = (value: number) => (value < 0 || Object.is(value, -0) ? "-" : "");

function withDecimals(whole: string, decimals: string, count: number): string {
  return count === 0 ? whole : `${whole}.${decimals.padEnd(count, "0")}`;
}

/** The first `decimals + 1` digits of a float's size and the power of ten of the first of them. */
function leadingDigits(value: number, decimals: number): { digits: string; power: number } {
  if (value === 0) return { digits: "0".repeat(decimals + 1), power: 0 };
  // The shortest form of a float may have a power of ten too many, and rounding may add one.
  let power = Number(value.toExponential().split("e")[1]) - 1;
  for (;;) {
    const digits = String(scaled(value, decimals - power));
    if (digits.length === decimals + 1) return { digits, power };
    power += 1;
  }
}

/** |value| · 10^decimals as a whole number, exactly; halves go to the even one. */
function scaled(value: number, decimals: number): bigint {
  const { mantissa, exponent } = partsOf(value);
  const up = (power: number, base: bigint) => base ** BigInt(Math.max(0, power));
  const numerator = mantissa * up(exponent, 2n) * up(decimals, 10n);
  const denominator = up(-exponent, 2n) * up(-decimals, 10n);
  const quotient = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const isAbove = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return isAbove ? quotient + 1n : quotient;
}

/** |value| = mantissa · 2^exponent of a finite float (IEEE 754, 64 bits). */
function partsOf(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}
