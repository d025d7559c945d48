import type { CellResult } from "../cell-results.js";
import type { AblationResults } from "../results.js";
import { digits, type Table } from "./tables.js";

/** Why there are results missing, said once for all that one failure took with it. */
export function failuresTable({ failed }: Pick<AblationResults, "failed">): Table {
  return {
    title: "What failed",
    head: ["arms", "seeds", "why"],
    rows: gathered(failed.map(({ message, ...cell }) => ({ ...cell, text: firstLine(message) }))),
  };
}

/** Which runs the rule ended early, and what they would have needed. */
export function stoppedTable({ stopped = [] }: Pick<AblationResults, "stopped">): Table {
  return {
    title: "What was ended early",
    head: ["arm", "seed", "at step", "measure", "value", "goes on to"],
    rows: stopped.map(({ arm, seed, step, metric, value, cutoff }) => {
      return [arm, String(seed), String(step), metric, digits(value), digits(cutoff)];
    }),
    note: "By the rule that the ablation states (successive halving); they count in no mean.",
  };
}

/** What runs warned of while they trained, said once for all arms that share the run. */
export function warningsTable(cells: readonly CellResult[]): Table {
  return {
    title: "What the runs warned of",
    head: ["arms", "seeds", "warning"],
    rows: gathered(
      cells.flatMap(({ arm, seed, warnings }) => warnings.map((text) => ({ arm, seed, text }))),
    ),
    note: "A failure that is known by what a log shows; docs/when-it-does-not-learn.md says what each means.",
  };
}

interface Told {
  readonly arm: string;
  readonly seed: number;
  readonly text: string;
}

/** The same text of several arms and seeds as one row. */
export function gathered(told: readonly Told[]): string[][] {
  return [...new Set(told.map(({ text }) => text))].map((text) => {
    const all = told.filter((one) => one.text === text);
    const listed = (values: readonly (string | number)[]) => [...new Set(values)].join("; ");
    return [listed(all.map(({ arm }) => arm)), listed(all.map(({ seed }) => seed)), text];
  });
}

const firstLine = (text: string) => text.split("\n")[0] ?? "";
