import type { Random } from "../../../tensors/index.js";

/** Of every entity: which entity stands in a relation to it, and which value an attribute has. */
export interface World {
  /** Entities by number, each with the number of another in every relation. */
  readonly links: readonly (readonly number[])[];
  /** Values by number, of every attribute. */
  readonly values: readonly (readonly number[])[];
}

export const relationCount = 2;
export const attributeCount = 2;

/** A random world of that many entities, and values of half as many kinds, at least four. */
export function drawWorld(entities: number, random: Random): World {
  const kinds = valueKinds(entities);
  const others = (self: number) => (self + 1 + random.integer(entities - 1)) % entities;
  return {
    links: Array.from({ length: entities }, (_, self) =>
      Array.from({ length: relationCount }, () => others(self)),
    ),
    values: Array.from({ length: entities }, () =>
      Array.from({ length: attributeCount }, () => random.integer(kinds)),
    ),
  };
}

export function valueKinds(entities: number): number {
  return Math.max(4, Math.ceil(entities / 2));
}

/** `relations` from `subject` on, then an attribute of whom they lead to. */
export interface Question {
  readonly subject: number;
  readonly relations: readonly number[];
  readonly attribute: number;
}

/** The entities that a question goes through, the subject first. */
export function pathOf({ links }: World, { subject, relations }: Question): number[] {
  return relations.reduce(
    (path, relation) => [...path, links[path.at(-1) as number]?.[relation] as number],
    [subject],
  );
}

export function valueAt({ values }: World, entity: number, attribute: number): number {
  return values[entity]?.[attribute] as number;
}
