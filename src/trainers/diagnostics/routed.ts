import type * as tf from "@tensorflow/tfjs-core";
import type { Batch } from "../../data/index.js";
import { type DiagnosticInputs, diagnosticSums } from "./diagnostics.js";

/** Positions of a micro-batch that are looked at, by the teacher that scored them. */
export type RoutedPositions = ReadonlyMap<string, readonly number[]>;

/**
 * @param routes the teacher of each sequence of the batch
 * @param looked positions in `[B·T]`
 */
export function routedPositions(
  { sequences, sequenceLength: T }: Pick<Batch, "sequences" | "sequenceLength">,
  routes: readonly string[] | undefined,
  looked: readonly number[],
): RoutedPositions {
  const groups = new Map<string, number[]>();
  if (routes === undefined) return groups;
  for (const [i, { row, start, ids }] of sequences.entries()) {
    const from = row * T + start;
    const own = looked.filter((place) => place >= from && place < from + ids.length - 1);
    const name = routes[i] as string;
    groups.set(name, [...(groups.get(name) ?? []), ...own]);
  }
  return groups;
}

/** What is summed of every teacher's rows: the divergences that its answers allow. */
const divergences = ["forwardKl", "reverseKl", "coarseForwardKl", "coarseReverseKl"];

/** Σ of the divergences from each teacher, over the positions that it scored; by `<name> <teacher>`. */
export function routedSums(
  inputs: DiagnosticInputs,
  groups: ReadonlyMap<string, tf.Tensor1D>,
): Record<string, tf.Scalar> {
  const sums = [...groups].flatMap(([teacher, places]) =>
    Object.entries(diagnosticSums(inputs, places))
      .filter(([name]) => divergences.includes(name))
      .map(([name, sum]) => [`${name} ${teacher}`, sum] as const),
  );
  return Object.fromEntries(sums);
}

/** The sums of a step as means over each teacher's positions. */
export function routedMeans(
  sums: Readonly<Record<string, number>>,
  groups: readonly RoutedPositions[],
): Record<string, Record<string, number>> {
  const means: Record<string, Record<string, number>> = {};
  for (const [key, sum] of Object.entries(sums)) {
    const [name, teacher] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
    const count = groups.reduce((total, of) => total + (of.get(teacher)?.length ?? 0), 0);
    means[teacher] = { ...means[teacher], [name]: sum / Math.max(1, count) };
  }
  return means;
}
