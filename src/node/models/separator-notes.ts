import { join } from "node:path";
import { exists } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";

/**
 * What to know of a prompt for a run's model: its rows have a separator between prompt and completion, without
 * which the model sees what it never saw in training.
 */
export async function separatorNotes(run: string, prompt: string): Promise<string[]> {
  const file = join(run, "config.json");
  if (!(await exists(file))) return [];
  const config = (await readJson(file, "config")) as { data?: { separator?: unknown } } | null;
  const separator = config?.data?.separator;
  if (typeof separator !== "string" || separator === "" || prompt.endsWith(separator)) return [];
  return [
    `The rows of ${run} have ${JSON.stringify(separator)} between prompt and completion (data.separator), and this prompt does not end with it: with it the model would answer as it learned to.`,
  ];
}
