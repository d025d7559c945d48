import { z } from "zod";
import { startBackend } from "../../../backend/index.js";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import { weightDtypes } from "../../../models/index.js";
import { mergeModelFolder, nodePlatform } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";
import { backendField } from "../backend-field.js";

export const mergeSchema = z.strictObject({
  output: z.string().describe("Folder to write; it must not exist yet, or be empty."),
  dtype: z.enum(weightDtypes).default("float32").describe("What the weights are stored in."),
  backend: backendField("auto"),
});

/** `pupil merge <adapter> output=<folder> [key=value …]`. */
export async function mergeCommand(path: string, overrides: string[]): Promise<void> {
  const given = applyOverrides({}, overrides);
  const { output, dtype, backend } = parseConfig(mergeSchema, given, "merge");
  await startBackend(backend, { platform: nodePlatform });
  const parameters = await mergeModelFolder(path, output, { dtype });
  writeLine(process.stdout, `${output}: ${parameters.toLocaleString("en-US")} parameters.`);
}
