import { createRequire } from "node:module";

/**
 * `@tensorflow/tfjs-node` 4.22 asks `util` in every op for what Node 23 took away and Node 22 warns of. Gives this
 * process's `util` both functions back.
 */
export function restoreRemovedUtil(): void {
  const util = createRequire(import.meta.url)("node:util") as Record<string, unknown>;
  util["isNullOrUndefined"] = (value: unknown) => value === null || value === undefined;
  util["isArray"] = Array.isArray;
}
