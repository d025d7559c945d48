import { startBackend } from "../../../backend/index.js";
import { nodePlatform, resolveTraining, trainRun } from "../../../node/index.js";
import { finishedLines } from "../../terminal/finished.js";
import { viewRun } from "../../terminal/show-run.js";
import { pupil, quoted } from "../../terminal/typed.js";

/** `pupil train <config.json> [key=value …]`. */
export async function trainCommand(
  configPath: string | undefined,
  overrides: string[],
): Promise<void> {
  using view = viewRun();
  const training = await resolveTraining(configPath, overrides);
  const { config, path } = training;
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  const events = trainRun({ ...training, signal: view.interrupts.signal });
  view.begin(config.trainer.steps);
  view.line(backend.line);
  for (const note of training.notes) view.line(note);
  await view.show(events, async ({ stopped }) => {
    if (stopped) view.line(`Continue with: ${pupil()} train resume=${quoted(path)}`);
    else for (const line of await finishedLines(path, config)) view.line(line);
  });
}
