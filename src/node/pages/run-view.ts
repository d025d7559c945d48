import { basename, join, resolve } from "node:path";
import type { TraceRow } from "../../trainers/index.js";
import type { FollowedLog, LogFollower } from "../logs/follow-log.js";
import { followLog } from "../logs/follow-log.js";
import { readEnds } from "../logs/read-ends.js";
import { readTraces } from "../logs/traces.js";
import { type ListedRun, listRun } from "../runs/folder/list-runs.js";
import { readRunConfig, withoutVersions } from "../runs/folder/run-folder.js";
import { withoutSecrets } from "./secrets.js";

/** A completion of an evaluation. */
export interface Sample {
  readonly step: number;
  readonly set: string;
  readonly prompt: string;
  readonly completion: string;
  readonly correct?: boolean;
}

/** What pages show of a run. */
export interface RunView {
  readonly path: string;
  /** Of its folder. */
  readonly name: string;
  readonly state: ListedRun["state"];
  /** Steps that are done, of those that were asked for. */
  readonly done: number;
  readonly steps: number;
  /** Without versions and secrets. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: FollowedLog;
  readonly samples: readonly Sample[];
  readonly traces: readonly TraceRow[];
}

/**
 * Reads what pages show of a run, whatever the size of its logs.
 *
 * @param follower of its log, for who looks again and again
 * @throws PupilError if there is no run in the folder
 */
export async function viewRun(
  path: string,
  follower: LogFollower = followLog(join(path, "metrics.jsonl")),
): Promise<RunView> {
  const stored = withoutVersions(await readRunConfig(path));
  const { state, done, steps } = await listRun(path);
  await follower.update();
  return {
    ...{ path, name: basename(resolve(path)), state, done, steps },
    config: withoutSecrets(stored) as Record<string, unknown>,
    log: follower.log,
    samples: (await readEnds(join(path, "completions.jsonl"))).flatMap((line) => sampleIn(line)),
    traces: await readTraces(join(path, "traces.jsonl")),
  };
}

function sampleIn(line: string): Sample[] {
  try {
    const row = JSON.parse(line) as Partial<Sample> | null;
    const texts = [row?.set, row?.prompt, row?.completion];
    const isSample = typeof row?.step === "number" && texts.every((t) => typeof t === "string");
    return isSample ? [row as Sample] : [];
  } catch {
    return [];
  }
}
