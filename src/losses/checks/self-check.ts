import type { LossDefinition } from "../define.js";
import { type Finding, problemsOf, wrong } from "./check.js";
import { checkedLoss, lossChecks } from "./loss-checks.js";

/** What came out of one check of one loss at one configuration. */
export interface CheckOutcome {
  /** What is true if nothing is wrong: `is never negative`. */
  readonly check: string;
  readonly problems: readonly string[];
  /** The largest error that was measured, also where it is within bounds. */
  readonly error: number;
}

/**
 * Every check that applies to a loss, at one configuration. A check that throws has failed.
 *
 * @throws PupilError if the options do not fit the loss
 */
export async function selfCheck(
  definition: LossDefinition,
  options: object,
): Promise<CheckOutcome[]> {
  const loss = checkedLoss(definition, options);
  const outcomes: CheckOutcome[] = [];
  for (const check of lossChecks.filter((c) => c.applies(definition))) {
    let findings: Finding[];
    try {
      findings = await check.run(loss);
    } catch (error) {
      findings = [wrong(`it throws: ${(error as Error).message}`)];
    }
    outcomes.push({
      check: check.name,
      problems: problemsOf(findings),
      error: Math.max(0, ...findings.map((finding) => finding.error)),
    });
  }
  return outcomes;
}
