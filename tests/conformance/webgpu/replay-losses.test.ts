/** The same as `replay.test.ts` for every family of losses and of teachers, and what else a step may be made of. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { expectAsComputed } from "../../setup/steps/as-computed.js";
import { useCpu } from "../../setup/backends/backend.js";
import { lossStepKinds } from "../../setup/steps/loss-step-kinds.js";
import { teacherStepKinds } from "../../setup/steps/teacher-step-kinds.js";
import { hasLavapipe, onLavapipe, useWebGpu } from "../../setup/backends/webgpu.js";

/** Of two lengths; a resumed run does the last third. */
const steps = 30;

// SwiftShader takes a minute for each.
describe.skipIf(!hasLavapipe)(`steps of every loss replayed on ${onLavapipe}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  test.each(Object.entries({ ...lossStepKinds, ...teacherStepKinds }))(
    "%s: as computed, and so is the rest of a resumed run",
    async (_, kind) => {
      await expectAsComputed(kind, steps);
    },
  );
});
