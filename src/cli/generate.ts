import { z } from "zod";
import { startBackend } from "../backend/index.js";
import { applyOverrides, parseConfig } from "../config/index.js";
import { decodeCompletion, encodePrompt } from "../data/index.js";
import { contextLength } from "../models/index.js";
import { findModelFolder, loadModelFolder, nodePlatform } from "../node/index.js";
import { samplingPolicySchema, sampleRollouts } from "../rollouts/index.js";
import { Random } from "../tensors/index.js";
import { writeLine, writeText } from "./terminal.js";

export const generateSchema = z.strictObject({
  ...samplingPolicySchema.shape,
  maxNewTokens: z.int().min(1).default(100).describe("Longest completion in tokens."),
  count: z.int().min(1).default(1).describe("How many completions to sample."),
  seed: z.int().min(0).default(1).describe("Seed of the sampling."),
  backend: z.enum(["auto", "webgpu", "tensorflow", "wasm", "cpu"]).default("auto"),
});

/** `pupil generate <model> <prompt> [key=value …]`. */
export async function generateCommand(
  path: string,
  prompt: string,
  overrides: string[],
): Promise<void> {
  const options = parseConfig(generateSchema, applyOverrides({}, overrides), "generate");
  const { maxNewTokens, count, seed, backend, ...policy } = options;
  const report = await startBackend(backend, { platform: nodePlatform });
  writeLine(process.stderr, report.line);
  const { model, tokenizer } = await loadModelFolder(await findModelFolder(path));
  try {
    const ids = encodePrompt(tokenizer, prompt);
    const context = contextLength(model.config);
    const room = context - ids.length + 1;
    if (room < maxNewTokens && room > 0) {
      writeLine(
        process.stderr,
        `The prompt takes ${ids.length} of the context of ${context} tokens, which leaves ${room} of the ${maxNewTokens} new tokens asked for.`,
      );
    }
    const rollouts = await sampleRollouts({
      model,
      prompts: Array.from({ length: count }, () => ids),
      endIds: tokenizer.endIds,
      padId: tokenizer.padId,
      maxNewTokens,
      policy,
      random: new Random(seed).stream("generate"),
    });
    for (const { completionIds } of rollouts) {
      const completion = decodeCompletion(tokenizer, ids, completionIds);
      writeText(process.stdout, `${prompt}${completion}\n`);
    }
  } finally {
    model.dispose();
  }
}
