import { PupilError } from "../errors/index.js";
import { contextLength, type ModelConfig } from "../models/index.js";

/** Refuses prompts that the model cannot read. */
export function checkPrompts(
  prompts: readonly (readonly number[])[],
  config: Parameters<typeof contextLength>[0] & Pick<ModelConfig, "vocabSize">,
): void {
  const { vocabSize } = config;
  const limit = contextLength(config);
  for (const [index, prompt] of prompts.entries()) {
    const field = `prompts[${index}]`;
    if (prompt.length === 0) {
      throw new PupilError("the prompt is empty, so there is nothing to continue.", {
        field,
        value: prompt,
        remedy: "Give it at least one token.",
      });
    }
    if (prompt.length > limit) {
      throw new PupilError(
        `the prompt has ${prompt.length} tokens, the model's context has ${limit}.`,
        { field, value: prompt.length, remedy: "Shorten the prompt or raise model.maxPositions." },
      );
    }
    const foreign = prompt.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (foreign !== undefined) {
      throw new PupilError(
        `token id ${foreign} is not in the model's vocabulary of ${vocabSize}.`,
        {
          field,
          value: foreign,
          remedy: "Use the tokenizer that the model was trained with.",
        },
      );
    }
  }
}
