import { createRequire } from "node:module";

/** Whether this is one of TensorFlow's packages for Node. */
export function isTensorflow(name: string): boolean {
  return name === "@tensorflow/tfjs-node" || name === "@tensorflow/tfjs-node-gpu";
}

/**
 * To be called before one of TensorFlow's packages is imported, and only then: it changes the process.
 *
 * - Its C library writes errors only, its notices go to the terminal. From 2.20 on it writes there what level ever that oneDNN is
 *   on, which on a CPU alone is of no use to what is run here.
 * - `@tensorflow/tfjs-node` 4.22 asks `util` in every op for what Node 23 took away and Node 22 warns of: `util` gets both
 *   functions back.
 */
export function prepareTensorflow(): void {
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  process.env["TF_ENABLE_ONEDNN_OPTS"] ??= "0";
  const util = createRequire(import.meta.url)("node:util") as Record<string, unknown>;
  util["isNullOrUndefined"] = (value: unknown) => value === null || value === undefined;
  util["isArray"] = Array.isArray;
}
