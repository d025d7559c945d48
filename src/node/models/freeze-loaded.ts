import { freezeModel, type LanguageModel } from "../../models/index.js";

/**
 * {@link freezeModel} of a model that was loaded just now; releases it if that fails.
 *
 * @param source of the model, for errors
 */
export async function freezeLoaded(
  model: Pick<LanguageModel, "parameters" | "headWeight" | "dispose">,
  source: string,
): Promise<boolean> {
  try {
    return await freezeModel(model, source);
  } catch (error) {
    model.dispose();
    throw error;
  }
}
