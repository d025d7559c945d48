export type { CheckedLoss, LossArray, LossCase } from "./case.js";
export { type Finding, type LossCheck, problemsOf } from "./check.js";
export { describesItself } from "./definition-check.js";
export { parseGoldenCases } from "./golden-file.js";
export { type CheckOutcome, selfCheck } from "./self-check.js";
export {
  caseFromLists,
  type GoldenCase,
  type GoldenResult,
  type Nested,
  runGoldenCase,
} from "./golden.js";
export { checkedLoss, lossChecks } from "./loss-checks.js";
export { signIsUnknown } from "./property-checks.js";
export { randomCase } from "./random-case.js";
export { evaluateCase, type Evaluation, valuesOf } from "./case.js";
