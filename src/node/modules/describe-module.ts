import { type Component, componentOf } from "../../config/index.js";
import { PupilError } from "../../errors/index.js";
import { methodComponents } from "../../methods/index.js";
import { methodsIn } from "../ablations/methods/load-methods.js";
import { readText } from "../files/read-files.js";
import { exportsOf, importOnce } from "./import-module.js";
import { definitionsIn } from "./load-modules.js";
import {
  lossModules,
  rewardModules,
  taskModules,
  teacherModules,
  verifierModules,
} from "./module-kinds.js";

/**
 * The components that a file of the user's own exports, of whatever kind.
 *
 * @throws PupilError if it cannot be loaded, exports none, or a broken one
 */
export async function describeModule(path: string): Promise<Component[]> {
  await readText(path, "file of components");
  const module = await importOnce(path);
  const found = [
    ...definitionsIn(lossModules, module, path).map((own) => componentOf("loss", own)),
    ...definitionsIn(rewardModules, module, path).map((own) => componentOf("reward", own)),
    ...definitionsIn(taskModules, module, path).map((own) => componentOf("task", own)),
    ...definitionsIn(teacherModules, module, path).map((own) => componentOf("teacher", own)),
    ...definitionsIn(verifierModules, module, path).map((own) => componentOf("verifier", own)),
    ...methodComponents(methodsIn(module, path)),
  ];
  if (found.length > 0) return found;
  throw new PupilError("the file exports no component.", {
    field: path,
    remedy: `Export what defineLoss, defineReward, defineTask, defineTeacher, defineVerifier or defineMethod returns. It exports: ${exportsOf(module)}.`,
  });
}
