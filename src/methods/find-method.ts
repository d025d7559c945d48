import type { Component } from "../config/index.js";
import { oneOf, PupilError } from "../errors/index.js";
import type { MethodDefinition } from "./define.js";

/** @throws PupilError that says which names there are */
/** The method of a name. @throws PupilError that names the nearest one */
export function findMethod(name: string, all: readonly MethodDefinition[]): MethodDefinition {
  const found = all.find((method) => method.name === name);
  if (found !== undefined) return found;
  throw new PupilError(`there is no method "${name}".`, {
    field: "ablate",
    value: name,
    remedy: `${oneOf(
      name,
      all.map((method) => method.name),
    )} A file is given by its path: ${name}.json.`,
  });
}

/** Methods as `pupil describe` shows them. */
export function methodComponents(all: readonly MethodDefinition[]): Component[] {
  return all.map(({ name, title, number, paper, claim, fidelity, note, needs, settings }) => ({
    ...{ kind: "method" as const, name, summary: title, schema: settings },
    details: [
      `paper: ${paper.citation}, ${paper.url}${number === undefined ? "" : ` (number ${number})`}`,
      `claim: ${claim}`,
      `${fidelity}${note === undefined ? "" : `: ${note}`}`,
      `needs: ${["prompts, answers and a verifier", ...(needs ?? [])].join(", ")}`,
      `run it: pupil ablate ${name} seeds=3`,
    ],
  }));
}
