import type { z } from "zod";
import type { LossDefinition } from "../define.js";
import { basicChecks } from "./basic-checks.js";
import type { CheckedLoss } from "./case.js";
import type { LossCheck } from "./check.js";
import { extremeChecks } from "./extreme-checks.js";
import { centralDifferenceCheck } from "./gradient-check.js";
import { maskingChecks } from "./masking-checks.js";
import { propertyChecks } from "./property-checks.js";
import { symmetryChecks } from "./symmetry-checks.js";

export type { CheckedLoss, LossArray, LossCase } from "./case.js";
export type { LossCheck } from "./check.js";
export { type GoldenCase, type GoldenResult, runGoldenCase } from "./golden.js";
export { randomCase } from "./random-case.js";
export { evaluateCase, type Evaluation, valuesOf } from "./case.js";

/** What every loss is held to, whoever wrote it. */
export const lossChecks: readonly LossCheck[] = [
  ...basicChecks,
  centralDifferenceCheck,
  ...propertyChecks,
  ...symmetryChecks,
  ...maskingChecks,
  ...extremeChecks,
];

/** A loss at given options, for the checks. */
export function checkedLoss(definition: LossDefinition, options: object): CheckedLoss {
  return { definition, config: definition.config.parse(options) as z.output<z.ZodObject> };
}
