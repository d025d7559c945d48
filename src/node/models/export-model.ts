import { z } from "zod";
import type { Tokenizer } from "../../data/index.js";
import { jsonText, tokenizerFiles } from "../../folders/index.js";
import {
  type Decoder,
  decoderToTensors,
  exportOnnx,
  type ModelConfig,
  toHuggingFaceConfig,
} from "../../models/index.js";
import { writeFolderAtomic } from "../files/atomic.js";
import { requireEmptyFolder } from "../files/require-empty-folder.js";

export const exportOptionsSchema = z.strictObject({
  format: z.enum(["onnx"]).default("onnx").describe("What to write; ONNX is what runs elsewhere."),
  dtype: z
    .enum(["float32", "float16"])
    .default("float32")
    .describe("What the weights are stored in; computation stays in float32."),
});
export type ExportOptions = z.output<typeof exportOptionsSchema>;

/** How transformers.js calls a type, and the name of its model file. */
const variants = {
  float32: { dtype: "fp32", file: "onnx/model.onnx" },
  float16: { dtype: "fp16", file: "onnx/model_fp16.onnx" },
} as const;

type Files = Map<string, string | Uint8Array>;

const formats: Record<
  ExportOptions["format"],
  (model: Decoder, tokenizer: Tokenizer, options: ExportOptions) => Promise<Files>
> = { onnx: onnxFiles };

/**
 * Writes a model for use outside: a folder that `pipeline("text-generation", …)` of transformers.js
 * loads, in Node and in a browser. Returns its files with their sizes in bytes.
 *
 * @throws PupilError if the folder has anything in it, or a weight does not fit into the type
 */
export async function exportModel(
  path: string,
  { model, tokenizer }: { readonly model: Decoder; readonly tokenizer: Tokenizer },
  options: ExportOptions,
): Promise<ReadonlyMap<string, number>> {
  await requireEmptyFolder(path);
  const files = await formats[options.format](model, tokenizer, options);
  await writeFolderAtomic(path, files);
  const size = (content: string | Uint8Array) => Buffer.byteLength(content);
  return new Map([...files].map(([name, content]) => [name, size(content)]));
}

async function onnxFiles(
  model: Decoder,
  tokenizer: Tokenizer,
  { dtype }: ExportOptions,
): Promise<Files> {
  const { config } = model;
  const variant = variants[dtype];
  const modelConfig = {
    ...toHuggingFaceConfig(config, { dtype }),
    // Else a browser would ask for a quantized file.
    "transformers.js_config": { dtype: variant.dtype },
  };
  return new Map<string, string | Uint8Array>([
    ["config.json", jsonText(modelConfig)],
    ["generation_config.json", jsonText(generationConfig(config, tokenizer))],
    ...tokenizerFiles(tokenizer),
    [variant.file, exportOnnx(config, await decoderToTensors(model), { dtype })],
  ]);
}

/** Where generation starts and ends; keys without a value are left out, as Hugging Face does. */
function generationConfig(config: ModelConfig, tokenizer: Tokenizer): object {
  const ends = config.eosTokenIds.length > 0 ? config.eosTokenIds : tokenizer.endIds;
  return {
    _from_model_config: true,
    ...(config.bosTokenId === null ? {} : { bos_token_id: config.bosTokenId }),
    ...(ends.length === 0 ? {} : { eos_token_id: ends.length === 1 ? ends[0] : ends }),
    pad_token_id: config.padTokenId ?? tokenizer.padId,
  };
}
