import * as tf from "@tensorflow/tfjs-core";

interface TrackingEngine {
  readonly state: { readonly scopeStack: readonly { readonly track: readonly tf.Tensor[] }[] };
  trackTensor(tensor: tf.Tensor, backend: unknown): void;
  disposeTensor(tensor: tf.Tensor): void;
  endScope(result: tf.TensorContainer): void;
}

/**
 * Living tensors by id, with the error that knows the line: a stack for every tensor would be half of what the
 * tests cost, so only those have one that no scope frees. The error, not its text, which takes longer still.
 */
const origins = new Map<number, Error | undefined>();
// Private hooks of tfjs (its version is pinned); guards.test.ts proves that they are still called.
const engine = tf.engine() as unknown as TrackingEngine;
const trackTensor = engine.trackTensor.bind(engine);
const disposeTensor = engine.disposeTensor.bind(engine);
const endScope = engine.endScope.bind(engine);

engine.trackTensor = (tensor, backend) => {
  const isFree = engine.state.scopeStack.length === 0 || tensor instanceof tf.Variable;
  origins.set(tensor.id, isFree ? new Error() : undefined);
  trackTensor(tensor, backend);
};
engine.disposeTensor = (tensor) => {
  origins.delete(tensor.id);
  disposeTensor(tensor);
};
engine.endScope = (result) => {
  const { scopeStack } = engine.state;
  const scope = scopeStack.at(-1);
  endScope(result);
  if (scopeStack.length > 0) return;
  // What outlives the outermost scope, as its result or because it was kept, is from now on like one made here.
  let error: Error | undefined;
  for (const { id } of scope?.track ?? []) {
    if (!origins.has(id) || origins.get(id) !== undefined) continue;
    origins.set(id, (error ??= new Error()));
  }
};

/** The first line of a stack that is ours. */
export function originOf(stack: string): string {
  const ours = stack
    .split("\n")
    .find(
      (line) => /\/(src|tests|examples)\//.test(line) && !line.includes("runner/live-tensors.ts"),
    );
  return (ours ?? "unknown origin").trim();
}

/** Where the tensors were made that live now and did not `before`. */
export function liveTensors(before: ReadonlySet<number>): string[] {
  return [...origins]
    .filter(([id]) => !before.has(id))
    .map(([, error]) => originOf(error?.stack ?? ""));
}

export function tensorIds(): Set<number> {
  return new Set(origins.keys());
}
