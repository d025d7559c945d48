import { join } from "node:path";
import type { StopRule } from "../../../config/index.js";
import type { StoppedAt } from "../../executors/journal.js";
import { exists } from "../../files/file-exists.js";
import { followLog, type LogFollower } from "../../logs/follow-log.js";
import { halving, type Halving } from "../halving.js";
import type { Cell } from "../planned.js";
import type { PlannedStage } from "./stage.js";

/** Looks at the evaluations of runs and says which of them end early. */
export interface StopWatch {
  /** Reads what runs have evaluated already, in this process or one before. */
  begin(): Promise<void>;
  /**
   * Of running stages those that are to end, and why.
   *
   * @param ended stages that have come to their end since the last look: their values count too
   */
  look(
    running: readonly string[],
    ended: readonly string[],
  ): Promise<ReadonlyMap<string, StoppedAt>>;
}

/** The runs of one seed compete with one another: that is what arms are compared on. */
export function stopWatch(rule: StopRule, cells: readonly Cell[]): StopWatch {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  const brackets = new Map<number, Halving>();
  const followers = new Map<string, LogFollower>();
  const bracketOf = ({ seed, config }: Cell): Halving => {
    const found = brackets.get(seed) ?? halving(rule, config.trainer.steps);
    brackets.set(seed, found);
    return found;
  };
  const read = async (cell: Cell): Promise<StoppedAt | undefined> => {
    const { folder } = cell.chain.at(-1) as PlannedStage;
    const follower = followers.get(cell.id) ?? followLog(join(folder, "metrics.jsonl"), 1);
    followers.set(cell.id, follower);
    await follower.update();
    const evaluations = follower.log.others.flatMap((row) =>
      row.type === "evaluation" ? [{ step: row.step, value: row.values[rule.metric] }] : [],
    );
    return bracketOf(cell).add(cell.id, evaluations);
  };
  return {
    async begin() {
      for (const cell of cells) {
        const { folder } = cell.chain.at(-1) as PlannedStage;
        if (await exists(join(folder, "metrics.jsonl"))) await read(cell);
        followers.delete(cell.id);
      }
    },
    async look(running, ended) {
      const runs = running.flatMap((id) => byId.get(id) ?? []);
      for (const cell of ended.flatMap((id) => byId.get(id) ?? [])) {
        await read(cell);
        followers.delete(cell.id);
      }
      const stops = new Map<string, StoppedAt>();
      for (const cell of runs) {
        const stop = await read(cell);
        if (stop !== undefined) stops.set(cell.id, stop);
      }
      return stops;
    },
  };
}
