import type { MutatorName } from "./mutators.js";

/** The files that a reader is given, by what they are to it. */
export type Input = Readonly<Record<string, Uint8Array>>;

/** One reader under attack. */
export interface FuzzTarget {
  readonly name: string;
  /** How its files are mutated beside the byte mutators, by file; default for all: `*`. */
  readonly shapes: Readonly<Record<string, readonly MutatorName[]>>;
  /** Whole, right inputs that mutations begin with. */
  seeds(): Promise<readonly Input[]> | readonly Input[];
  /** Reads; resolves with what the reader made of it. */
  read(input: Input): unknown;
  /** What is wrong with a value that was read, beside what holds for every reader. */
  check?(value: unknown, input: Input): string | undefined;
  /** Whether fields of a result may be absent, as in what a schema gives. */
  readonly allowsUndefined?: boolean;
  /** Whether a number of the file itself may be NaN. */
  readonly allowsNaN?: boolean;
}

const encoder = new TextEncoder();

/** A text, or a value as JSON, as the bytes of a file. */
export function bytesOf(content: string | object): Uint8Array<ArrayBuffer> {
  return encoder.encode(typeof content === "string" ? content : JSON.stringify(content));
}

export function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** All items of an asynchronous list. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
