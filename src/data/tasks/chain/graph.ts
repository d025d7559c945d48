import type { Random } from "../../../tensors/index.js";
import type { ChainProblem, Fact, Operand, Operation, Wording } from "./problem.js";
import { namesFor } from "./text.js";

/** What shapes a problem besides its number of hops; see the fields of the task's config. */
export interface GraphOptions {
  readonly distractors: number;
  readonly operations: readonly Operation[];
  readonly modulus: number;
  readonly order: "shuffled" | "forward";
  readonly wording: Wording;
}

/** A random problem with `hops` quantities to compute. */
export function drawProblem(hops: number, options: GraphOptions, random: Random): ChainProblem {
  const { modulus, wording } = options;
  const names = shuffle(namesFor(wording), random);
  const facts: Fact[] = [];
  const computed: string[] = [];
  const newName = (): string => {
    const name = names.pop();
    if (name === undefined) throw new Error("A chain problem has more quantities than names.");
    return name;
  };
  const addGiven = (): string => {
    const name = newName();
    facts.push({ name, value: 1 + random.integer(modulus - 1) });
    return name;
  };
  let previous = addGiven();
  for (let hop = 0; hop < hops; hop++) {
    const operation = random.pick(options.operations);
    const earlier = facts.map(({ name }) => name).filter((name) => name !== previous);
    const other = drawOperand(operation, earlier, addGiven, random);
    // A fact that sets a number against a quantity names the quantity first: "4 less than Ann".
    const swap = typeof other === "string" && random.integer(2) === 1;
    const [left, right] = swap ? [other, previous] : [previous, other];
    previous = newName();
    facts.push({ name: previous, left, operation, right });
    computed.push(previous);
  }
  for (let i = 0; i < options.distractors; i++) {
    addDistractor(facts, newName(), options, random);
  }
  const ordered = options.order === "shuffled" ? shuffle(facts, random) : facts;
  return { facts: ordered, hops: computed, modulus, wording };
}

/** A number, a new given quantity, or one that is there already; for products a small number. */
function drawOperand(
  operation: Operation,
  earlier: readonly string[],
  addGiven: () => string,
  random: Random,
): Operand {
  if (operation === "*") return 2 + random.integer(8);
  const choice = random.integer(3);
  if (choice === 0) return 1 + random.integer(9);
  return choice === 1 || earlier.length === 0 ? addGiven() : random.pick(earlier);
}

/** Inserts a fact that no hop uses: a given quantity or one computed from others. */
function addDistractor(facts: Fact[], name: string, options: GraphOptions, random: Random): void {
  if (random.integer(2) === 0) {
    const value = 1 + random.integer(options.modulus - 1);
    facts.splice(random.integer(facts.length + 1), 0, { name, value });
    return;
  }
  const source = random.integer(facts.length);
  const operation = random.pick(options.operations);
  const right = operation === "*" ? 2 + random.integer(8) : 1 + random.integer(9);
  const left = (facts[source] as Fact).name;
  // Behind its source, so that a forward order stays one.
  const position = source + 1 + random.integer(facts.length - source);
  facts.splice(position, 0, { name, left, operation, right });
}

function shuffle<T>(items: readonly T[], random: Random): T[] {
  return Array.from(random.permutation(items.length), (i) => items[i] as T);
}
