import type { LanguageModel } from "../models/index.js";
import type { Teacher } from "./teacher.js";

/**
 * A model in this process as teacher: its logits stay on the device and are never read back.
 * Takes ownership of the model.
 */
export function modelTeacher(model: LanguageModel, name = "model"): Teacher {
  const dispose = () => model.dispose();
  return {
    name,
    vocabSize: model.config.vocabSize,
    provides: ["teacherLogits"],
    score: (batch) =>
      Promise.resolve({
        tensors: () => ({ teacherLogits: model.forward(batch) }),
      }),
    dispose,
    [Symbol.dispose]: dispose,
  };
}
