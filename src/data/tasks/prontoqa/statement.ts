/** `Max is a vumpus`, `every vumpus is a brimpus`, `vumpuses are not red`. */
export interface Statement {
  /** An entity, or a concept: what is said of it is said of all that it comprises. */
  readonly subject: string;
  /** A concept or a property. */
  readonly predicate: string;
  readonly negated: boolean;
}

/** An ontology, one fact about an entity, and a statement to decide. */
export interface LogicProblem {
  /** Rules and facts about the entity, in the order of the prompt. */
  readonly premises: readonly Statement[];
  readonly query: Statement;
  /** What a proof goes through: the fact, then a rule and its conclusion per hop. */
  readonly proof: readonly Statement[];
  readonly wording: "sentences" | "symbols";
  /** Rules that are stated in the plural, by their place among the premises. */
  readonly plural?: readonly number[];
}

export function keyOf({ subject, predicate, negated }: Statement): string {
  return `${subject} ${negated ? "!" : ""}${predicate}`;
}

export function isSame(a: Statement, b: Statement): boolean {
  return keyOf(a) === keyOf(b);
}

export function negate(statement: Statement): Statement {
  return { ...statement, negated: !statement.negated };
}

/** Whether the query holds: what the proof ends with says so. */
export function isTrue({ proof, query }: Pick<LogicProblem, "proof" | "query">): boolean {
  const last = proof.at(-1);
  return last !== undefined && isSame(last, query);
}
