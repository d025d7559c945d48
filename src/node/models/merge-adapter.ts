import { PupilError } from "../../errors/index.js";
import type { SaveModelOptions } from "../../folders/index.js";
import { mergeAdapter, removeAdapter } from "../../models/index.js";
import { findModelFolder } from "./find-model.js";
import { loadModelFolder, saveModelFolder } from "./model-folder.js";
import { requireEmptyFolder } from "../files/require-empty-folder.js";

/**
 * Writes the model that an adapter and its base model are together as a plain model folder, complete
 * or not at all. Returns the number of its parameters.
 *
 * @param path adapter folder, or run folder of a run that trained one
 * @throws PupilError if there is no adapter, or the output exists and is not empty
 */
export async function mergeModelFolder(
  path: string,
  output: string,
  options: SaveModelOptions = {},
): Promise<number> {
  await requireEmptyFolder(output);
  const folder = await findModelFolder(path);
  const { model, tokenizer } = await loadModelFolder(folder);
  try {
    const { active } = model.adapters;
    if (active === undefined) {
      throw new PupilError("The folder holds a whole model and no adapter.", {
        field: folder,
        remedy: "Give a folder with adapter_config.json; this one is ready to use as it is.",
      });
    }
    mergeAdapter(model, active.name);
    removeAdapter(model, active.name);
    await saveModelFolder(output, model, tokenizer, options);
    return model.numParameters;
  } finally {
    model.dispose();
  }
}
