import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listRuns, resolveEvaluation, resolveTraining } from "../../../../../src/node/index.js";
import { compareRuns } from "../../../../../src/node/ablations/compare-runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

/** As `runLoop` of a loop of one's own writes it. */
function ownLoop(): string {
  const run = temporaryFolder();
  const config = { seed: 1, steps: 100, versions: { pupil: "0.1.0" } };
  writeFileSync(join(run, "config.json"), JSON.stringify(config));
  return run;
}

describe("a folder of another kind is refused in one sentence", () => {
  const isOwnLoop =
    /: The run is of a loop of its own \(runLoop\).* Start its program again to continue it\./;

  test("the run of a loop of one's own, where a run config is needed", async () => {
    const run = ownLoop();
    await expect(resolveTraining(undefined, [`resume=${run}`])).rejects.toThrow(isOwnLoop);
    await expect(resolveEvaluation(run, [])).rejects.toThrow(isOwnLoop);
    await expect(compareRuns([run, ownLoop()])).rejects.toThrow(isOwnLoop);
  });

  test("a run folder, where a config is needed", async () => {
    const run = ownLoop();
    await expect(resolveTraining(run, [])).rejects.toThrow(
      `${run}: This is a folder of a run or a model, not a run config. A run is continued with resume=${run}`,
    );
  });

  test("a file, where a folder of runs is needed", async () => {
    const file = join(ownLoop(), "config.json");
    await expect(listRuns(file)).rejects.toThrow(`${file}: is a file, not a folder.`);
  });
});
