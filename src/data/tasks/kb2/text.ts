import { pathOf, type Question, valueAt, type World } from "./world.js";

/** A question with four options, and the world it is about. */
export interface TableProblem {
  readonly world: World;
  readonly question: Question;
  /** Values by number, one of them right. */
  readonly options: readonly number[];
  readonly wording: "sentences" | "symbols";
  /** Whether the prompt tells the facts. */
  readonly table: "given" | "known";
}

export const styles = ["options", "facts", "direct"] as const;
export type Style = (typeof styles)[number];

export const letters = ["A", "B", "C", "D"] as const;

const names = {
  symbols: {
    entities: Array.from("abcdefghijklmnopqrst"),
    values: Array.from("0123456789"),
    relations: ["u", "v"],
    attributes: ["w", "x"],
  },
  sentences: {
    entities:
      "ann bob cy dan eve flo gus hal ivy jo kim lee max ned ora pam quin ray sue tom".split(" "),
    values: "red blue gold pink grey lime teal ruby plum mint".split(" "),
    relations: ["friend", "boss"],
    attributes: ["hat", "coat"],
  },
};

export function tableAlphabet(wording: TableProblem["wording"]): string {
  if (wording === "symbols") return " \n.=;?:!ABCD0123456789abcdefghijklmnopqrstuvwx";
  return " \n.=;?:!ABCD'abcdefghijklmnopqrstuvwxyz";
}

const possessive = { symbols: ".", sentences: "'s " };
const equals = { symbols: "=", sentences: " = " };

/** `a.u=b`, or `ann's friend = bob`. */
export function linkFact({ world, wording }: TableProblem, from: number, relation: number): string {
  const { entities, relations } = names[wording];
  const to = entities[world.links[from]?.[relation] as number];
  return `${entities[from]}${possessive[wording]}${relations[relation]}${equals[wording]}${to}`;
}

/** `b.w=3`, or `bob's hat = red`. */
export function valueFact({ world, wording }: TableProblem, of: number, attribute: number): string {
  const { entities, attributes, values } = names[wording];
  const value = values[valueAt(world, of, attribute)];
  return `${entities[of]}${possessive[wording]}${attributes[attribute]}${equals[wording]}${value}`;
}

export function writePrompt(problem: TableProblem): string {
  const { question, wording, options, table, world } = problem;
  const { entities, relations, attributes, values } = names[wording];
  const asked = [
    entities[question.subject],
    ...question.relations.map((relation) => relations[relation]),
    attributes[question.attribute],
  ].join(possessive[wording]);
  const listed = options.map((option, i) => `${letters[i]}:${values[option]}`).join(" ");
  const facts =
    table === "known"
      ? []
      : world.links.flatMap((_, entity) => [
          ...relations.map((_name, relation) => linkFact(problem, entity, relation)),
          ...attributes.map((_name, attribute) => valueFact(problem, entity, attribute)),
        ]);
  return `${facts.map((fact) => `${fact};`).join("")}${asked}? ${listed}\n`;
}

/** The facts that answer a question, in their order. */
export function factsOf(problem: TableProblem): string[] {
  const { world, question } = problem;
  const path = pathOf(world, question);
  const links = question.relations.map((relation, i) =>
    linkFact(problem, path[i] as number, relation),
  );
  return [...links, valueFact(problem, path.at(-1) as number, question.attribute)];
}

/**
 * Facts, then with `options` every option with `=` where it is the value and `!` where it is not, then
 * the letter.
 */
export function writeTrace(
  problem: TableProblem,
  style: Style,
  { facts, value, letter }: { facts: readonly string[]; value: number; letter: string },
): string {
  const { options, wording } = problem;
  const judged = options.map((option, i) => {
    const sign = option === value ? "=" : "!";
    return `${letters[i]}${sign}${names[wording].values[option]}`;
  });
  return [
    ...(style === "direct" ? [] : facts),
    ...(style === "options" ? judged : []),
    letter,
  ].join("\n");
}
