import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { PooledBackend } from "../../../src/backend/webgpu/pooled-backend.js";
import { type Checkpoint, type StepKind, train } from "./step-kinds.js";

/** The last is of steps with an average alone. */
const namesOfStep = ["gradients", "update", "average"];
const callsOfStep = 2;
/** Steps that are computed until one of their shape is replayed. */
const recorded = 3;
const usualShapes = 2;

const backend = () => tf.backend() as unknown as PooledBackend;

/** How the calls of all steps so far were carried out. */
function ofSteps() {
  const { byName } = backend().replayReport();
  const all = namesOfStep.flatMap((name) => byName[name] ?? []);
  return {
    replayed: all.reduce((sum, { replayed }) => sum + replayed, 0),
    inFull: all.reduce((sum, { inFull }) => sum + inFull, 0),
  };
}

/** The training, and how many of the calls of its steps were replayed. */
async function counted(kind: StepKind, steps: number, replays: boolean, from?: Checkpoint) {
  backend().replays = replays;
  const before = ofSteps();
  const trained = await train(kind, steps, from);
  const { replayed, inFull } = ofSteps();
  return {
    ...trained,
    replayed: replayed - before.replayed,
    inFull: inFull - before.inFull,
    reasons: JSON.stringify(backend().replayReport().reasons),
  };
}

/**
 * Holds a training whose steps are replayed to the same computed in full, and its rest from a checkpoint to the rest of it, to
 * the bit.
 */
export async function expectAsComputed(kind: StepKind, steps: number): Promise<void> {
  const computed = await counted(kind, steps, false);
  const replayed = await counted(kind, steps, true);
  expect(computed.replayed).toBe(0);
  const { shapes = usualShapes, calls = callsOfStep } = kind;
  expect(replayed.replayed + replayed.inFull).toBe(calls * steps);
  const fewest = calls * (steps - recorded * shapes);
  expect(replayed.replayed, replayed.reasons).toBeGreaterThanOrEqual(fewest);
  expect(replayed.log).toEqual(computed.log);
  expect(replayed.weights).toEqual(computed.weights);
  // Nothing is left from step to step, whatever a step that is replayed holds while it lasts.
  const held = replayed.alive.map((count, i) => count - (computed.alive[i] as number));
  expect(new Set(held).size, held.join()).toBe(1);

  const rest = await counted(kind, steps, true, replayed.checkpoint);
  expect(rest.replayed, rest.reasons).toBeGreaterThan(0);
  expect(rest.log).toEqual(computed.log.slice(-rest.log.length));
  expect(rest.weights).toEqual(computed.weights);
}
