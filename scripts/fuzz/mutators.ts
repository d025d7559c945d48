import type { Random } from "../../src/tensors/index.js";
import { mutateJson } from "./mutate-json.js";
import { mutateSafetensors } from "./mutate-safetensors.js";

type Mutator = (bytes: Uint8Array, random: Random) => Uint8Array;

const numbers = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Texts that readers have stumbled over. */
const pieces = [
  ..."\0\t\n\r\"'\\,;:[]{}#% ",
  "\r\n",
  "\ufeff",
  "\u001b[2J",
  "\u2028",
  "__proto__",
  "null",
  "NaN",
  "-1",
  "1e999",
  "1e9",
  "0.5",
  "{{",
  "{%",
  "%}",
  "..",
  "😀",
  "[".repeat(20_000),
  '{"a":'.repeat(5_000),
  "x".repeat(50_000),
];

const byteMutators: readonly Mutator[] = [
  (bytes, random) =>
    withChange(bytes, (copy) => {
      const i = at(copy, random);
      copy[i] = (copy[i] as number) ^ (1 << random.integer(8));
    }),
  (bytes, random) => withChange(bytes, (copy) => (copy[at(copy, random)] = random.integer(256))),
  (bytes, random) =>
    withChange(bytes, (copy) => {
      // A number of four bytes, as binary formats hold lengths and offsets.
      const view = new DataView(copy.buffer);
      if (copy.length >= 4)
        view.setUint32(random.integer(copy.length - 3), random.pick(numbers), true);
    }),
  (bytes, random) => bytes.slice(0, at(bytes, random)),
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return join(bytes.subarray(0, start), bytes.subarray(end));
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return join(bytes.subarray(0, end), bytes.subarray(start));
  },
];

/** Ways to change a file that know what is in it. */
export const mutators = {
  text: (bytes, random) => {
    const start = at(bytes, random);
    const piece = new TextEncoder().encode(random.pick(pieces));
    return join(bytes.subarray(0, start), piece, bytes.subarray(start + random.integer(3)));
  },
  lines: (bytes, random) => {
    const lines = decode(bytes).split("\n");
    const [from, to] = [random.integer(lines.length), random.integer(lines.length)];
    const line = lines[from] as string;
    const change = random.integer(3);
    if (change === 0) lines.splice(from, 1);
    else if (change === 1) lines.splice(to, 0, line);
    else lines[from] = decode(mutators.text(encode(line), random));
    return encode(lines.join("\n"));
  },
  json: (bytes, random) => encode(mutateJson(decode(bytes), random)),
  /** One JSON value a line. */
  jsonLines: (bytes, random) => {
    const lines = decode(bytes).split("\n");
    const i = random.integer(lines.length);
    lines[i] = mutateJson(lines[i] as string, random);
    return encode(lines.join("\n"));
  },
  safetensors: mutateSafetensors,
} as const satisfies Record<string, Mutator>;

export type MutatorName = keyof typeof mutators;

/** One to four mutations, most of them by what is known of the file. */
export function mutate(
  bytes: Uint8Array,
  names: readonly MutatorName[],
  random: Random,
): Uint8Array {
  let mutated = bytes;
  const count = 1 + random.integer(4);
  for (let i = 0; i < count; i++) {
    const knows = names.length > 0 && random.integer(10) < 7;
    const mutator: Mutator = knows ? mutators[random.pick(names)] : random.pick(byteMutators);
    mutated = mutator(mutated, random);
  }
  return mutated;
}

function at(bytes: Uint8Array, random: Random): number {
  return random.integer(Math.max(1, bytes.length));
}

function range(bytes: Uint8Array, random: Random): [number, number] {
  const start = at(bytes, random);
  return [start, Math.min(bytes.length, start + 1 + random.integer(40))];
}

function withChange(bytes: Uint8Array, change: (copy: Uint8Array) => unknown): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (copy.length > 0) change(copy);
  return copy;
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
