import { test } from "vitest";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { compareStoppedRuns } from "../stopped-runs.js";

test("a run that is stopped at any event and resumed has the logs of one that was not", {
  timeout: 240_000,
}, async () => {
  await compareStoppedRuns(temporaryFolder(), (events) => [...events.keys()]);
});
