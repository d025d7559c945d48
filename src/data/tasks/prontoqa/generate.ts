import type { Random } from "../../../tensors/index.js";
import { type LogicProblem, negate, type Statement } from "./statement.js";
import { concepts, entities, properties } from "./text.js";

export interface OntologyOptions {
  readonly distractors: number;
  readonly order: "shuffled" | "forward";
  readonly wording: LogicProblem["wording"];
}

/** A chain of `hops` rules from what the entity is to a property, true or not, among distractors. */
export function drawLogicProblem(
  hops: number,
  { distractors, order, wording }: OntologyOptions,
  random: Random,
): LogicProblem {
  const names = shuffle(concepts[wording], random);
  const said = shuffle(properties[wording], random);
  const entity = random.pick(entities[wording]);
  const take = (list: string[]): string => {
    const name = list.pop();
    if (name === undefined) throw new Error("A logic problem has more concepts than names.");
    return name;
  };
  const chain = Array.from({ length: hops }, () => take(names));
  const property = take(said);
  const holds = random.integer(2) === 0;
  const rules = chain.map((subject, i): Statement => {
    const next = chain[i + 1];
    return { subject, predicate: next ?? property, negated: next === undefined && !holds };
  });
  const fact = { subject: entity, predicate: chain[0] as string, negated: false };
  const proof = [fact, ...rules.flatMap((rule) => [rule, { ...rule, subject: entity }])];
  const conclusion = proof.at(-1) as Statement;
  const query = random.integer(2) === 0 ? conclusion : negate(conclusion);
  const others = Array.from({ length: distractors }, (_, i): Statement => {
    // The first says the opposite of something else, so that the property alone decides nothing.
    if (i === 0) return { subject: take(names), predicate: property, negated: holds };
    const subject = random.integer(3) === 0 ? take(names) : random.pick(chain);
    const isConcept = random.integer(2) === 0;
    const predicate = isConcept ? take(names) : take(said);
    return { subject, predicate, negated: !isConcept && random.integer(2) === 0 };
  });
  const stated = [...rules];
  for (const other of others) stated.splice(random.integer(stated.length + 1), 0, other);
  const ordered = order === "shuffled" ? shuffle(stated, random) : stated;
  const premises = [...ordered, fact];
  const plural = wording === "symbols" ? [] : pluralOf(ordered, random);
  return { premises, query, proof, wording, ...(plural.length === 0 ? {} : { plural }) };
}

function pluralOf(rules: readonly Statement[], random: Random): number[] {
  return rules.flatMap((_, i) => (random.integer(2) === 0 ? [i] : []));
}

function shuffle<T>(items: readonly T[], random: Random): T[] {
  return Array.from(random.permutation(items.length), (i) => items[i] as T);
}
