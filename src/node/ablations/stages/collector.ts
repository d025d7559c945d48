import { PupilError } from "../../../errors/index.js";

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

/** The collector of this version. */
export const collector: Collector = {
  parse(given) {
    throw notThere(given);
  },
  collect: (config) => Promise.reject(notThere(config)),
};

function notThere(config: unknown): PupilError {
  return new PupilError("this version cannot collect traces.", {
    field: "collect",
    value: config,
    remedy: "Leave stages that collect out.",
  });
}
