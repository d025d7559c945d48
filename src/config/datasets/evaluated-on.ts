import type { Dataset } from "../dataset-schema.js";
import type { PreparedData } from "./dataset-kind.js";

/** A dataset to evaluate on, and what the names of its sets begin with; empty: nothing. */
type Named = readonly [name: string, Dataset];

/** Prepared data with the evaluation sets of other datasets in place of its own. */
export async function evaluatedOn(
  data: PreparedData,
  others: readonly Named[],
  prepare: (dataset: Dataset) => PreparedData | Promise<PreparedData>,
): Promise<PreparedData> {
  const parts: PreparedData[] = [];
  const dispose = () => {
    for (const part of [data, ...parts]) part.dispose?.();
  };
  try {
    // One after the other: two large files need not be read at once.
    for (const [, dataset] of others) parts.push(await prepare(dataset));
  } catch (error) {
    dispose();
    throw error;
  }
  const named = parts.map((part, i) => ({ name: others[i]?.[0] as string, ...part }));
  const most = (key: "maxNewTokens" | "longestPrompt" | "positions") =>
    Math.max(...parts.map((part) => part[key]));
  return {
    ...data,
    evaluation: named.flatMap(({ name, evaluation }) =>
      evaluation.map((set) => ({ ...set, name: name === "" ? set.name : `${name}.${set.name}` })),
    ),
    evaluationNewTokens: most("maxNewTokens"),
    longestPrompt: Math.max(data.longestPrompt, most("longestPrompt")),
    positions: Math.max(data.positions, most("positions")),
    notes: [
      ...data.notes,
      ...named.flatMap(({ name, notes }) =>
        notes.map((note) => `Evaluation${name === "" ? "" : ` (${name})`}: ${note}`),
      ),
    ],
    dispose,
  };
}
