import * as tf from "@tensorflow/tfjs-core";

interface TrackingEngine {
  trackTensor(tensor: tf.Tensor, backend: unknown): void;
  disposeTensor(tensor: tf.Tensor): void;
}

// The error, not its text: formatting a stack for every tensor would slow the suite down.
const origins = new Map<number, Error>();
// Private hooks of tfjs (its version is pinned); guards.test.ts proves that they are still called.
const engine = tf.engine() as unknown as TrackingEngine;
const trackTensor = engine.trackTensor.bind(engine);
const disposeTensor = engine.disposeTensor.bind(engine);

engine.trackTensor = (tensor, backend) => {
  origins.set(tensor.id, new Error());
  trackTensor(tensor, backend);
};
engine.disposeTensor = (tensor) => {
  origins.delete(tensor.id);
  disposeTensor(tensor);
};

/** The first line of a stack that is ours. */
export function originOf(stack: string): string {
  const ours = stack
    .split("\n")
    .find(
      (line) => /\/(src|tests|examples)\//.test(line) && !line.includes("setup/live-tensors.ts"),
    );
  return (ours ?? "unknown origin").trim();
}

/** Where the tensors were made that live now and did not `before`. */
export function liveTensors(before: ReadonlySet<number>): string[] {
  return [...origins]
    .filter(([id]) => !before.has(id))
    .map(([, error]) => originOf(error.stack ?? ""));
}

export function tensorIds(): Set<number> {
  return new Set(origins.keys());
}
