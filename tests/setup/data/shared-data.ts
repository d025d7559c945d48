import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Optional real data beside the checkout; the project never depends on it. */
export function sharedData(path: string): string {
  return fileURLToPath(new URL(`../../../../shared/data/${path}`, import.meta.url));
}

/** For `describe.skipIf(missing(...))`; name the skipped block `… (needs ../shared/data/<path>)`. */
export function missing(path: string): boolean {
  return !existsSync(sharedData(path));
}
