import type * as tf from "@tensorflow/tfjs";
import type { Batch } from "../data/index.js";

/** Signals a teacher can give about given tokens. */
export interface TeacherTensors {
  /** `[B, T, V]`, before temperature. */
  readonly teacherLogits: tf.Tensor3D;
}
export type TeacherSignal = keyof TeacherTensors;

/** What a teacher returns for one batch: `tensors` is called inside the step's memory scope. */
export interface TeacherScores {
  tensors(): Partial<TeacherTensors>;
}

/**
 * A source of token-level signals. The asynchronous part (network, disk) is `score`; a teacher that
 * lives on the same device computes its tensors when they are asked for and reads nothing back.
 */
export interface Teacher extends Disposable {
  readonly name: string;
  readonly vocabSize: number;
  readonly provides: readonly TeacherSignal[];
  score(batch: Batch, needs: readonly TeacherSignal[]): Promise<TeacherScores>;
  dispose(): void;
}
