/** A step that is replayed is the step that is computed: the same numbers and the same weights, bit for bit. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { expectAsComputed } from "../../setup/as-computed.js";
import { useCpu } from "../../setup/backend.js";
import { stepKinds } from "../../setup/step-kinds.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/webgpu.js";

/** Of two lengths; a resumed run does the last third. */
const stepsOf = (name: string) => (name.startsWith("distill on policy") ? 30 : 21);

describe.skipIf(!hasVulkan)(`steps replayed on ${onWebGpu}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  test.each(Object.entries(stepKinds))(
    "%s: as computed, and so is the rest of a resumed run",
    async (name, kind) => {
      await expectAsComputed(kind, stepsOf(name));
    },
  );
});
