import type { CollectConfig as FullConfig } from "../../../config/index.js";
import { collectTraces } from "../../collect/collect-traces.js";
import { parseCollectConfig } from "../../collect/resolve-collect.js";

/** A collect config that was checked. */
export type CollectConfig = Readonly<Record<string, unknown>>;

export interface CollectProgress {
  readonly signal?: AbortSignal | undefined;
  /** How much of it is done. */
  readonly report?: (done: number, total: number) => void;
}

/** What makes a collect stage: `rows.jsonl` and `collect.json` in its folder, the latter last. */
export interface Collector {
  /** @throws PupilError for what is wrong with the config */
  readonly parse: (given: unknown, source: string) => CollectConfig | Promise<CollectConfig>;
  readonly collect: (
    config: CollectConfig,
    folder: string,
    progress: CollectProgress,
  ) => Promise<void>;
}

/** What `pupil collect` does. */
export const collector: Collector = {
  parse: parseCollectConfig,
  async collect(config, path, { signal }) {
    await collectTraces({ config: config as unknown as FullConfig, path, signal });
  },
};
