import * as tf from "@tensorflow/tfjs-core";
import { disposeAll } from "./scope.js";
import { keepTensor } from "./variable.js";

/**
 * Values of the host as named tensors. They are made in the memory scope of whoever asks for them, so that they live no longer
 * than they are needed; a call that a backend may repeat (`recorded`) is given them, and has them held for that.
 */
export class HostValues<T extends Readonly<Record<string, tf.Tensor>>> implements Disposable {
  private readonly make: () => T;
  private held: T | undefined;

  constructor(make: () => T) {
    this.make = make;
  }

  /** Those that are held, or else new ones of the current memory scope. */
  tensors(): T {
    return this.held ?? this.make();
  }

  /** The tensors that `tensors` gives from now on, until they are disposed. */
  hold(): T {
    this.held ??= tf.tidy(() => {
      const made = this.make();
      for (const tensor of Object.values(made)) keepTensor(tensor);
      return made;
    });
    return this.held;
  }

  /** The held tensors as what a call reads. */
  reads(): tf.Tensor[] {
    return Object.values(this.hold());
  }

  dispose(): void {
    disposeAll(Object.values(this.held ?? {}));
    this.held = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
