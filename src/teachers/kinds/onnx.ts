import { z } from "zod";
import { tokenSignals } from "../signals.js";
import { defineTeacherKind } from "./define.js";
import { distributionOptions, promptOption } from "./signal-options.js";

/** An ONNX decoder, run by `@xenova/transformers`. */
export const onnxTeacherKind = defineTeacherKind({
  type: "onnx",
  summary: "An ONNX model from a folder or the Hugging Face Hub, run by @xenova/transformers.",
  canGive: tokenSignals,
  writesText: true,
  schema: z.strictObject({
    type: z.literal("onnx"),
    from: z
      .string()
      .describe("Folder, as `pupil export` writes it, or a model's name on the Hugging Face Hub."),
    device: z.enum(["cpu", "webgpu"]).default("cpu").describe("Where the ONNX runtime computes."),
    dtype: z
      .enum(["fp32", "fp16", "q8", "int8", "uint8", "q4", "q4f16", "bnb4"])
      .optional()
      .describe("Which of the model's files to use. Default: what its config says, else fp32."),
    file: z
      .string()
      .regex(/\.onnx$/, "must end in .onnx")
      .optional()
      .describe("The ONNX file in the folder, where it has another name than onnx/model.onnx."),
    revision: z.string().optional().describe("Branch, tag or commit on the Hub. Default: main."),
    ...promptOption,
    ...distributionOptions,
  }),
});
