/** A step that is replayed is the step that is computed: the same numbers and the same weights, bit for bit. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PooledBackend } from "../../../src/backend/webgpu/pooled-backend.js";
import { useCpu } from "../../setup/backend.js";
import { type Checkpoint, type StepKind, stepKinds, train } from "../../setup/step-kinds.js";
import { hasVulkan, onWebGpu, useWebGpu } from "../../setup/webgpu.js";

/** Of two lengths; a resumed run does the last third. */
const stepsOf = (name: string) => (name.startsWith("distill on policy") ? 30 : 21);
/** Gradients and the update of a step. */
const callsOfStep = 2;
/** Steps that are computed until one of their length is replayed. */
const recorded = 3;
const lengths = 2;

const backend = () => tf.backend() as unknown as PooledBackend;

/** The training, and how many of its calls were replayed. */
async function counted(kind: StepKind, steps: number, replays: boolean, from?: Checkpoint) {
  backend().replays = replays;
  const before = backend().replayReport();
  const trained = await train(kind, steps, from);
  const { replayed, inFull, reasons } = backend().replayReport();
  return {
    ...trained,
    replayed: replayed - before.replayed,
    inFull: inFull - before.inFull,
    reasons: JSON.stringify(reasons),
  };
}

describe.skipIf(!hasVulkan)(`steps replayed on ${onWebGpu}`, () => {
  beforeAll(useWebGpu);
  afterAll(useCpu);

  test.each(Object.entries(stepKinds))(
    "%s: as computed, and so is the rest of a resumed run",
    async (name, kind) => {
      const steps = stepsOf(name);
      const computed = await counted(kind, steps, false);
      const replayed = await counted(kind, steps, true);
      expect(computed.replayed).toBe(0);
      const calls = kind.computesGradients ? 1 : callsOfStep;
      expect(replayed.replayed + replayed.inFull).toBe(calls * steps);
      const fewest = calls * (steps - recorded * lengths);
      expect(replayed.replayed, replayed.reasons).toBeGreaterThanOrEqual(fewest);
      expect(replayed.log).toEqual(computed.log);
      expect(replayed.weights).toEqual(computed.weights);
      // Nothing is left from step to step.
      expect(new Set(replayed.alive)).toEqual(new Set(computed.alive));

      const rest = await counted(kind, steps, true, replayed.checkpoint);
      expect(rest.replayed, rest.reasons).toBeGreaterThan(0);
      expect(rest.log).toEqual(computed.log.slice(-rest.log.length));
      expect(rest.weights).toEqual(computed.weights);
    },
  );
});
