import * as tf from "@tensorflow/tfjs-core";

/** What is computed again and again, each time from other values. */
export interface RecordedCall {
  /** Whose computation it is: one of another owner is another. */
  readonly owner: object;
  /** What is computed, for reports. */
  readonly name: string;
  /**
   * Says all that decides what is computed beside `reads`: two calls of one owner with one key do the same with theirs. A
   * value that changes from call to call belongs into a tensor of `reads`, not here.
   */
  readonly key: string;
  /** Every tensor from outside that may be read or written: given values, parameters. */
  readonly reads: readonly tf.Tensor[];
}

/** Tensors that a computation leaves, and what the host knows of them, which follows from its key. */
export interface RecordedResult<F> {
  readonly tensors: Readonly<Record<string, tf.Tensor>>;
  readonly facts: F;
}

/** A backend that can carry out again what a computation asked of it, without the computation. */
export interface RecordingBackend {
  /** Whether it does so now. */
  readonly replays: boolean;
  recorded<F>(call: RecordedCall, compute: () => RecordedResult<F>): RecordedResult<F>;
}

/**
 * Carries out a computation, in full or, where the backend knows from earlier calls what it comes down to, as that. It reads
 * nothing back and changes nothing on the host: what it does there is done once, not every time.
 *
 * @param callOf says what the computation is; asked where a backend replays alone, since to say it takes time in every step.
 *   Undefined for what cannot be carried out again
 */
export function recorded<F>(
  callOf: () => RecordedCall | undefined,
  compute: () => RecordedResult<F>,
): RecordedResult<F> {
  const backend = tf.backend() as Partial<RecordingBackend>;
  const call = backend.replays === true ? callOf() : undefined;
  return (call && backend.recorded?.(call, compute)) ?? compute();
}

/**
 * Whether the backend can repeat calls, be it that it is to or not: what changes from call to call then has to be data on every
 * path, so that a step is the same number for number with and without.
 */
export function repeatsCalls(): boolean {
  return (tf.backend() as Partial<RecordingBackend>).recorded !== undefined;
}

const ids = new WeakMap<object, number>();
let nextId = 1;

/** A number for an object in a key. */
export function identityOf(object: object): number {
  const id = ids.get(object) ?? nextId++;
  ids.set(object, id);
  return id;
}
