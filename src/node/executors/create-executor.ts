import { oneOf, PupilError } from "../../errors/index.js";
import { parseConfig } from "../../config/index.js";
import type { Executor } from "./executor.js";
import { type ExecutorName, executorNames, type ExecutorWords } from "./fields.js";
import type { ExecutorPlace } from "./place.js";
import { rayFields } from "./ray/fields.js";
import { slurmFields } from "./slurm/fields.js";

/** Which words are whose. */
const ownWords: Readonly<Record<ExecutorName, readonly (keyof ExecutorWords)[]>> = {
  local: ["processes"],
  slurm: ["slurm", "retries"],
  ray: ["ray", "retries"],
  "kubernetes-yaml": ["kubernetes"],
};

/**
 * The name of an executor, with words that are its own.
 *
 * @throws PupilError for a name that there is not, and for a word that the executor does not know
 */
export function checkExecutor(words: ExecutorWords): ExecutorName {
  const { executor } = words;
  const name = executorNames.find((known) => known === executor);
  if (name === undefined) {
    throw new PupilError("there is no such executor.", {
      ...{ field: "executor", value: executor, remedy: oneOf(executor, executorNames) },
    });
  }
  const known: readonly string[] = ownWords[name];
  for (const [word, value] of Object.entries(words)) {
    if (word === "executor" || value === undefined || known.includes(word)) continue;
    const owners = executorNames.filter((other) => ownWords[other].some((own) => own === word));
    throw new PupilError(`executor=${name} does not know it.`, {
      field: word,
      value,
      remedy: `It is of ${owners.map((owner) => `executor=${owner}`).join(" and ")}. This one knows: ${known.join(", ")}.`,
    });
  }
  return name;
}

/** The executor of a cluster with its fields; undefined for this machine. */
export async function createExecutor(
  words: ExecutorWords,
  place: ExecutorPlace,
): Promise<{ readonly executor: Executor; readonly fields: Record<string, unknown> } | undefined> {
  const name = checkExecutor(words);
  if (name === "slurm") {
    const { slurmExecutor } = await import("./slurm/slurm.js");
    const fields = parseConfig(slurmFields, words.slurm ?? {}, "slurm");
    return { executor: await slurmExecutor(fields, place), fields };
  }
  if (name === "ray") {
    const { rayExecutor } = await import("./ray/ray.js");
    const fields = parseConfig(rayFields, words.ray ?? {}, "ray");
    return { executor: await rayExecutor(fields, place), fields };
  }
  return undefined;
}
