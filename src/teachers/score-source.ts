import type * as tf from "@tensorflow/tfjs-core";
import { HostValues, identityOf } from "../tensors/index.js";
import type { ScoreSource, TeacherScores, TeacherTensors } from "./teacher.js";

/** Scores that are nothing but values of the host. */
export function hostScores(make: () => Partial<TeacherTensors>): TeacherScores {
  const values = new HostValues(make);
  return {
    tensors: () => values.tensors(),
    source: () => {
      const held = values.hold();
      return { by: hostScores, how: Object.keys(held).join(), reads: Object.values(held) };
    },
    dispose: () => values.dispose(),
  };
}

/**
 * The source of scores that are made of others; undefined where one of those has none.
 *
 * @param how says in what way, and of which teacher
 * @param reads what is read beside
 */
export function joinedSource(
  how: string,
  scores: readonly Pick<TeacherScores, "source">[],
  reads: readonly tf.Tensor[],
): ScoreSource | undefined {
  const all = scores.map((score) => score.source?.());
  const sources = all.filter((source) => source !== undefined);
  if (sources.length < all.length) return undefined;
  return {
    by: joinedSource,
    how: JSON.stringify([how, sources.map((source) => [identityOf(source.by), source.how])]),
    reads: [...sources.flatMap((source) => source.reads), ...reads],
  };
}
