/** The teacher of the example: a real model, with the ids at which its stories end. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the real weights are: stories260K as a Hugging Face folder. */
export const originalFolder = "../shared/data/stories260k-hf";
export const teacherFolder = "runs/stories/teacher";

/**
 * Copies the folder and says that a story ends at `<s>` too: the model was trained on stories
 * delimited by it, and its config names `</s>` alone, which it never writes.
 */
export function prepareTeacher(from = originalFolder): void {
  if (!existsSync(join(from, "model.safetensors"))) {
    throw new Error(
      `${from} has no model.safetensors. Give the folder of stories260K as an argument.`,
    );
  }
  mkdirSync(teacherFolder, { recursive: true });
  for (const file of [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]) {
    cpSync(join(from, file), join(teacherFolder, file));
  }
  const generation = { bos_token_id: 1, eos_token_id: [1, 2] };
  writeFileSync(join(teacherFolder, "generation_config.json"), JSON.stringify(generation));
}
