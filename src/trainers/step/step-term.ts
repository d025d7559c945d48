import type { LossTerm } from "../../losses/index.js";
import type { RowChoice } from "../../rollouts/index.js";

/** A loss term with what only some trainers let it choose. */
export interface StepTerm extends LossTerm {
  /** Whom a loss compares with that reads a teacher's inputs. Default: the teacher. */
  readonly against?: "teacher" | "reference";
  /** Which completions count, by how they turned out. Default: all. */
  readonly rows?: RowChoice;
}
