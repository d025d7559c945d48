import { z } from "zod";
import { startBackend } from "../../../backend/index.js";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import {
  exportModel,
  exportOptionsSchema,
  findModelFolder,
  loadModelFolder,
  nodePlatform,
} from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

export const exportSchema = z.strictObject({
  output: z.string().describe("Folder to write; it must not exist yet, or be empty."),
  ...exportOptionsSchema.shape,
});

/** `pupil export <model> output=<folder> [key=value …]`. */
export async function exportCommand(path: string, overrides: string[]): Promise<void> {
  const { output, ...options } = parseConfig(exportSchema, applyOverrides({}, overrides), "export");
  // Nothing is computed, the weights only pass through.
  await startBackend("cpu", { platform: nodePlatform });
  const loaded = await loadModelFolder(await findModelFolder(path));
  try {
    const sizes = await exportModel(output, loaded, options);
    for (const [name, bytes] of sizes) {
      writeLine(process.stdout, `${output}/${name}  ${bytes.toLocaleString("en-US")} bytes`);
    }
  } finally {
    loaded.model.dispose();
  }
}
