/** What is planted; a kind is a column of the table in docs/losses.md. */
export const mutantKinds = {
  direction: "wrong direction",
  temperature: "dropped temperature",
  mask: "dropped mask",
  weight: "swapped weight",
  normalizer: "wrong normalizer",
  gradient: "wrong gradient",
} as const;
export type MutantKind = keyof typeof mutantKinds;

/** One mistake, as a piece of source and what takes its place. */
export interface Mutant {
  /** The loss whose tests have to see it. */
  readonly loss: string;
  readonly kind: MutantKind;
  /** Under `src`. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly from: string;
  readonly to: string;
}

type Planted = readonly [kind: MutantKind, from: string, to: string, file?: string];

/** Mistakes in the file of one loss, or in one that it is made of. */
export function mutantsOf(loss: string, file: string, planted: readonly Planted[]): Mutant[] {
  return planted.map(([kind, from, to, other = file]) => ({ loss, kind, file: other, from, to }));
}
