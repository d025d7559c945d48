import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Programs of this package that executors start. */
const programs = {
  "stage-process": "./stage-process",
  "run-task": "../../executors/run-task",
} as const;

/**
 * The command line of a program of this package, as this process itself was started.
 *
 * @param place where the package is on the machine that runs it. Default: where it is here
 */
export function programWords(program: keyof typeof programs, place?: string): string[] {
  if (place !== undefined) {
    const path = join("dist/node/ablations/stages", `${programs[program]}.js`);
    return ["node", join(place, path)];
  }
  // Beside this file, from sources as from dist.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const path = fileURLToPath(new URL(`${programs[program]}.${extension}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} is missing.`);
  return [process.execPath, ...process.execArgv, path];
}
