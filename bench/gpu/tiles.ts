import { oneOf, PupilError } from "../../src/errors/index.js";
import type { MatmulTiles } from "../../src/ops/index.js";

export const tileNames = [
  ...(["threadRows", "threadColumns", "groupRows", "groupColumns", "depth"] as const),
] satisfies readonly (keyof MatmulTiles)[];

/** What a sweep tries where nothing else is said. */
const usual = "threadRows=2,4,8 threadColumns=2,4,8 depth=8,16,32";

/**
 * All combinations of `threadRows=2,4 depth=8,16`; an empty text: the usual ones.
 *
 * @throws PupilError for what is no size of a tile, or no whole number above 0
 */
export function tileChoices(spec: string): Partial<MatmulTiles>[] {
  let choices: Partial<MatmulTiles>[] = [{}];
  for (const word of (spec.trim() || usual).split(/\s+/)) {
    const [name = "", values = ""] = word.split("=", 2);
    if (!(tileNames as readonly string[]).includes(name)) {
      throw new PupilError(`there is no tile "${name}".`, {
        field: "--tiles",
        remedy: oneOf(name, tileNames),
      });
    }
    const sizes = values.split(",").map(Number);
    if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
      throw new PupilError(`"${values}" is no list of whole numbers above 0.`, {
        field: "--tiles",
        value: word,
      });
    }
    choices = choices.flatMap((choice) => sizes.map((size) => ({ ...choice, [name]: size })));
  }
  return choices;
}
