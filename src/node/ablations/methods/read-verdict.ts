import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exists } from "../../files/file-exists.js";
import { readJson } from "../../files/read-files.js";
import type { AblationResults, AblationVerdict } from "../results.js";

/** Where the reports of methods are that the package brings. */
export const methodReports = fileURLToPath(
  new URL("../../../../examples/methods", import.meta.url),
);

/** The verdict of a method's committed report; undefined where it has none. */
export async function readVerdict(
  name: string,
  folder = methodReports,
): Promise<AblationVerdict | undefined> {
  const path = join(folder, name, "results.json");
  if (!(await exists(path))) return undefined;
  return ((await readJson(path, "results")) as AblationResults).verdict;
}
