import type { AblationPlan } from "../planned.js";
import type { AblationResults } from "../results.js";
import type { Drawing } from "./plots.js";
import type { Table } from "./tables.js";

/** What a report shows, whatever its form. */
export interface Report {
  readonly plan: AblationPlan;
  readonly results: AblationResults;
  /** What stands with the verdict. */
  readonly summary: readonly Table[];
  readonly tables: readonly Table[];
  readonly drawings: readonly Drawing[];
  /** How it can be made again. */
  readonly command: string;
  readonly environment: string;
}

/** What is said of a method before its verdict. */
export function aboutLines({ plan }: Pick<Report, "plan">): string[] {
  const { about, seeds } = plan;
  if (about === undefined) return [];
  const { number, title, paper, fidelity, note, fairness } = about;
  return [
    `${title}. ${paper.citation}, ${paper.url}${number === undefined ? "" : `; number ${number}`}.`,
    fidelity === "faithful"
      ? `The mechanism is the paper's, at a small scale${note === undefined ? "." : `: ${note}`}`
      : `A proxy of the paper's mechanism: ${note ?? "see its file."}`,
    `${fairness} Seeds: ${seeds.join(", ")}.`,
  ];
}

/** The verdict as sentences: a report that cannot tell says so first. */
export function verdictLines({ plan, results }: Pick<Report, "plan" | "results">): string[] {
  const { verdict, failed } = results;
  const so = results.finished ? "" : " so far";
  return [
    ...unfinishedLines(plan, results),
    ...(failed.length === 0
      ? []
      : [`${failed.length} of the results failed: see "What failed" below.`]),
    ...(verdict === undefined
      ? ["No claim was stated, so there is no verdict."]
      : [
          `Claim: ${verdict.claim}`,
          `Verdict${so}: **${verdict.result}**.`,
          `Rule, written down before the runs: ${verdict.rule}`,
          ...(verdict.smallestVisible === undefined
            ? []
            : [
                `The smallest difference that these seeds could have seen: ${Number(verdict.smallestVisible.toPrecision(3))}.`,
              ]),
        ]),
  ];
}

/** How much of an ablation is there. */
export function unfinishedLines(
  { cells }: Pick<AblationPlan, "cells">,
  { finished, done }: Pick<AblationResults, "finished" | "done">,
): string[] {
  if (finished) return [];
  return [`**This ablation is unfinished**: ${done} of ${cells.length} results are there.`];
}
