import type { LossStates } from "../../losses/index.js";
import type { CountedRows } from "./counted-rows.js";
import type { StepTerm } from "./step-term.js";

/** A term with all that does not depend on the micro-batch. */
export interface TermPlan {
  readonly term: StepTerm;
  /** Weight of the term over the count of what it averages. */
  readonly factor: number;
  readonly state: LossStates[number];
  /** What the loss reads of it, where it says so. */
  readonly numbers: Readonly<Record<string, number>> | undefined;
  readonly rows: CountedRows;
}
