/** Numbers to be rounded to binary16, and what they must be then. */
export interface HalfCheck {
  readonly given: Float32Array<ArrayBuffer>;
  readonly expected: Float32Array<ArrayBuffer>;
}

/** The number of the bits of a finite, positive binary16. */
function ofBits(bits: number): number {
  const [exponent, digits] = [bits >> 10, bits & 0x3ff];
  return exponent === 0 ? digits * 2 ** -24 : (1 + digits / 1024) * 2 ** (exponent - 15);
}

const largest = 0x7bff;

/**
 * Every finite binary16; every middle of two neighbours, which goes to the one with an even last digit; and a number at either side of
 * each middle: those that are exactly representable have to stay, whatever a device's own conversions do.
 */
export function halfCheck(): HalfCheck {
  const given: number[] = [];
  const expected: number[] = [];
  const add = (number: number, rounded: number) => {
    given.push(number, -number);
    expected.push(rounded, -rounded);
  };
  for (let bits = 0; bits <= largest; bits++) {
    const value = ofBits(bits);
    add(value, value);
    if (bits === largest) break;
    const next = ofBits(bits + 1);
    const middle = (value + next) / 2;
    const apart = (next - value) / 1024;
    add(middle, bits % 2 === 0 ? value : next);
    add(middle - apart, value);
    add(middle + apart, next);
  }
  return { given: Float32Array.from(given), expected: Float32Array.from(expected) };
}
