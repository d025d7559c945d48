import { join } from "node:path";
import { type BackendReport, currentExecutor } from "../../../backend/index.js";
import { exists } from "../../files/file-exists.js";
import { readJsonObject } from "../../files/read-files.js";

/** What a stage computes with. */
export interface Computing {
  /** `wasm: AVX-512`, `cpu`. */
  readonly backend: string;
  /** Why it is plain JavaScript though nobody asked for that: what is wrong with the CPU engine. */
  readonly fallback?: string;
}

/** Of the backend that has just been started. */
export function computingOf({ backend, rejected }: BackendReport): Computing {
  const engine = rejected.find((other) => other.backend === "wasm");
  const isFallback = backend === "cpu" && engine !== undefined;
  return { backend: currentExecutor(), ...(isFallback ? { fallback: engine.reason } : {}) };
}

/** What a finished stage says in its mark; undefined for one that computed nothing, or before it was written there. */
export async function readComputing({
  folder,
  mark,
}: {
  readonly folder: string;
  readonly mark: string;
}): Promise<Computing | undefined> {
  const path = join(folder, mark);
  if (!(await exists(path))) return undefined;
  const { computing } = (await readJsonObject(path, "mark of a stage")) as {
    computing?: Computing;
  };
  return computing;
}
