import { oneOf, PupilError } from "../../errors/index.js";
import { configOf, type Stage, stageReferences } from "./stages.js";

/**
 * The stages that end with `last`: it and all that it needs, each after what it is made from.
 *
 * @throws PupilError for a name that no stage has, and for stages that need each other in a circle
 */
export function chainOf(
  stages: Readonly<Record<string, Stage>>,
  last: string,
  source: string,
): Stage[] {
  const chain: Stage[] = [];
  const open: string[] = [];
  const add = (name: string, field: string) => {
    if (chain.some((stage) => stage.name === name)) return;
    const stage = Object.hasOwn(stages, name) ? stages[name] : undefined;
    if (stage === undefined) {
      throw new PupilError(`there is no stage "${name}".`, {
        field,
        value: name,
        remedy: oneOf(name, Object.keys(stages)),
      });
    }
    if (open.includes(name)) {
      const circle = [...open.slice(open.indexOf(name)), name].join(" → ");
      throw new PupilError(`stages need each other in a circle: ${circle}.`, { field });
    }
    open.push(name);
    for (const { path, stage: needed } of stageReferences(configOf(stage))) {
      add(needed, `${source}: ${name}.${path.join(".")}`);
    }
    open.pop();
    chain.push(stage);
  };
  add(last, `${source}: last`);
  return chain;
}
