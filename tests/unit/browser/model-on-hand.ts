import { type Tokenizer, characterTokenizer } from "../../../src/data/index.js";
import { type FileContent, modelFiles, type SaveModelOptions } from "../../../src/folders/index.js";
import type { Decoder, ModelConfig } from "../../../src/models/index.js";
import { tinyConfigs, tinyDecoder } from "../models/tiny-models.js";

export const tokenizer: Tokenizer = characterTokenizer({ alphabet: "abcdef" });
export const rows = [[3, 1, 4, 1, 5]];

/** A small model; the caller owns it. */
export const smallModel = (): Decoder => tinyDecoder(tinyConfigs["qwen3"] as ModelConfig);

/** The bytes of its folder, by name. */
export async function smallFolder(
  options: SaveModelOptions = {},
): Promise<Map<string, Uint8Array>> {
  using model = smallModel();
  const files = await modelFiles(model, tokenizer, options);
  return new Map([...files].map(([name, content]) => [name, bytesOf(content)]));
}

function bytesOf(content: FileContent): Uint8Array {
  const given = typeof content === "function" ? content() : content;
  return typeof given === "string" ? new TextEncoder().encode(given) : given;
}
