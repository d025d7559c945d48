/** The same as `replay.test.ts` for every family of losses, kind of teacher and what else a step may be made of. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { expectAsComputed } from "../../setup/as-computed.js";
import { useCpu } from "../../setup/backend.js";
import { lossStepKinds } from "../../setup/loss-step-kinds.js";
import { teacherStepKinds } from "../../setup/teacher-step-kinds.js";
import { hasLavapipe, hasVulkan, onLavapipe, onWebGpu, useWebGpu } from "../../setup/webgpu.js";

/** Of two lengths; a resumed run does the last third. */
const steps = 30;

const kinds = { ...lossStepKinds, ...teacherStepKinds };

/** SwiftShader takes a minute for each. */
const everywhere = ["distill without logits, by weights that change"];

describe.skipIf(!hasVulkan)(`steps of every loss replayed on ${onWebGpu}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  const replays = async (name: string) => {
    await expectAsComputed(kinds[name] as (typeof kinds)[string], steps);
  };
  const title = "%s: as computed, and so is the rest of a resumed run";
  const others = Object.keys(kinds).filter((name) => !everywhere.includes(name));
  test.each(everywhere)(title, replays);
  test.skipIf(!hasLavapipe).each(others)(`${title}, ${onLavapipe}`, replays);
});
