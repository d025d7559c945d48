import { oneOf, PupilError } from "../../src/errors/index.js";
import type { MatmulTiles } from "../../src/ops/index.js";

export const tileNames = [
  ...(["threadRows", "threadColumns", "groupRows", "groupColumns", "depth"] as const),
] satisfies readonly (keyof MatmulTiles)[];

/** Tiles, and whether products are by subgroup matrices (1) or not (0); as the environment says where nothing is said. */
export type SweepChoice = Partial<MatmulTiles> & { readonly matrices?: number };

/** What a sweep tries where nothing else is said. */
const usual = "threadRows=2,4,8 threadColumns=2,4,8 depth=8,16,32";

/**
 * All combinations of `threadRows=2,4 depth=8,16`, with `matrices=0,1` with and without subgroup matrices; an empty text:
 * the usual ones.
 *
 * @throws PupilError for what is no size of a tile, or no whole number above 0
 */
export function tileChoices(spec: string): SweepChoice[] {
  const names = [...tileNames, "matrices"];
  let choices: SweepChoice[] = [{}];
  for (const word of (spec.trim() || usual).split(/\s+/)) {
    const [name = "", values = ""] = word.split("=", 2);
    if (!names.includes(name)) {
      throw new PupilError(`there is no tile "${name}".`, {
        field: "--tiles",
        remedy: oneOf(name, names),
      });
    }
    const isSwitch = name === "matrices";
    const sizes = values.split(",").map(Number);
    const fits = (size: number) => (isSwitch ? [0, 1].includes(size) : size > 0);
    if (values === "" || !sizes.every((size) => Number.isInteger(size) && fits(size))) {
      const wanted = isSwitch ? "0 and 1" : "whole numbers above 0";
      throw new PupilError(`"${values}" is no list of ${wanted}.`, {
        field: "--tiles",
        value: word,
      });
    }
    choices = choices.flatMap((choice) => sizes.map((size) => ({ ...choice, [name]: size })));
  }
  return choices;
}
