import { lossTerm } from "../combine.js";
import type { LossDefinition } from "../define.js";
import { basicChecks } from "./basic-checks.js";
import type { CheckedLoss } from "./case.js";
import type { LossCheck } from "./check.js";
import { extremeChecks } from "./extreme-checks.js";
import { centralDifferenceCheck } from "./gradient-check.js";
import { maskingChecks } from "./masking-checks.js";
import { propertyChecks } from "./property-checks.js";
import { rowLossChecks } from "./row-loss-check.js";
import { symmetryChecks } from "./symmetry-checks.js";

/** What every loss is held to, whoever wrote it. */
export const lossChecks: readonly LossCheck[] = [
  ...basicChecks,
  centralDifferenceCheck,
  ...propertyChecks,
  ...symmetryChecks,
  ...maskingChecks,
  ...extremeChecks,
  ...rowLossChecks,
];

/**
 * A loss at given options, for the checks.
 *
 * @throws PupilError if the options do not fit the schema of the loss
 */
export function checkedLoss(definition: LossDefinition, options: object): CheckedLoss {
  return lossTerm(definition, options as Record<string, unknown>);
}
