/** A step that is replayed is the step that is computed: the same numbers and the same weights, bit for bit. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { expectAsComputed } from "../../setup/steps/as-computed.js";
import { useCpu } from "../../setup/backends/backend.js";
import { stepKinds } from "../../setup/steps/step-kinds.js";
import {
  hasLavapipe,
  hasVulkan,
  onLavapipe,
  onWebGpu,
  useWebGpu,
} from "../../setup/backends/webgpu.js";

/** Of two lengths; a resumed run does the last third. */
const stepsOf = (name: string) => (name.startsWith("distill on policy") ? 30 : 21);

/** SwiftShader takes half a minute for each. */
const everywhere = [
  "sft of two micro-batches",
  "distill off policy",
  "distill on policy",
  "distill, half on policy, packed",
];

describe.skipIf(!hasVulkan)(`steps replayed on ${onWebGpu}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  const replays = async (name: string) => {
    await expectAsComputed(stepKinds[name] as (typeof stepKinds)[string], stepsOf(name));
  };
  const title = "%s: as computed, and so is the rest of a resumed run";
  const others = Object.keys(stepKinds).filter((name) => !everywhere.includes(name));
  test.each(everywhere)(title, replays);
  test.skipIf(!hasLavapipe).each(others)(`${title}, ${onLavapipe}`, replays);
});
