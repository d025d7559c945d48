/** What came of comparing with Python. */
export interface Comparison {
  readonly same: number;
  /** Why something that Python takes was refused here, and how often. */
  readonly refused: ReadonlyMap<string, number>;
  /** What was taken, and otherwise than in Python. */
  readonly differing: readonly string[];
}

/** Collects it. */
export class Tally implements Comparison {
  same = 0;
  readonly refused = new Map<string, number>();
  readonly differing: string[] = [];

  refuse(error: unknown): void {
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 160);
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }

  differ(what: string, python: unknown, here: unknown, of: string): void {
    const [theirs, ours] = [python, here].map((value) => JSON.stringify(value));
    this.differing.push(`${what}\n  Python ${theirs}\n  here   ${ours}\n  ${of}`);
  }
}
