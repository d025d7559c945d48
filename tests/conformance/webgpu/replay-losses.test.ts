/** The same as `replay.test.ts` for every family of losses and what else a step may be made of. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { expectAsComputed } from "../../setup/as-computed.js";
import { useCpu } from "../../setup/backend.js";
import { lossStepKinds } from "../../setup/loss-step-kinds.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/webgpu.js";

/** Of two lengths; a resumed run does the last third. */
const steps = 30;

describe.skipIf(!hasVulkan)(`steps of every loss replayed on ${onWebGpu}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  test.each(Object.entries(lossStepKinds))(
    "%s: as computed, and so is the rest of a resumed run",
    async (_, kind) => {
      await expectAsComputed(kind, steps);
    },
  );
});
