import type { TaskDefinition, VerifierDefinition } from "../data/index.js";
import type { LossDefinition } from "../losses/index.js";
import type { RewardDefinition } from "../rollouts/index.js";
import type { TeacherDefinition } from "../teachers/index.js";

/** What a config can name beside what is built in: the exports of the modules that it lists. */
export interface OwnComponents {
  readonly losses: readonly LossDefinition[];
  readonly rewards: readonly RewardDefinition[];
  readonly tasks: readonly TaskDefinition[];
  readonly verifiers: readonly VerifierDefinition[];
  readonly teachers: readonly TeacherDefinition[];
}

export const noOwnComponents: OwnComponents = {
  ...{ losses: [], rewards: [], tasks: [], verifiers: [] },
  teachers: [],
};
