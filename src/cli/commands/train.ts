import { startBackend } from "../../backend/index.js";
import { nodePlatform, resolveTraining, trainRun } from "../../node/index.js";
import { listenForInterrupts } from "../terminal/interrupts.js";
import { finishedLines } from "../terminal/finished.js";
import { type Progress, showProgress } from "../terminal/progress/progress.js";
import { writeLine } from "../terminal/terminal.js";

/** `pupil train <config.json> [key=value …]`. */
export async function trainCommand(
  configPath: string | undefined,
  overrides: string[],
): Promise<void> {
  let progress: Progress | undefined;
  using interrupts = listenForInterrupts((text) => {
    if (progress === undefined) writeLine(process.stderr, text);
    else progress.line(text);
  });
  const training = await resolveTraining(configPath, overrides);
  const { config, path } = training;
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  progress = showProgress(config.trainer.steps, process);
  progress.line(backend.line);
  for (const note of training.notes) progress.line(note);
  try {
    for await (const event of trainRun({ ...training, signal: interrupts.signal })) {
      progress.show(event);
      if (event.type === "started" || event.type === "resumed") interrupts.gracefully();
      if (event.type !== "finished") continue;
      if (!event.stopped) {
        for (const line of await finishedLines(path, config)) progress.line(line);
        continue;
      }
      process.exitCode = interrupts.exitCode() ?? 0;
      progress.line(`Continue with: pupil train resume=${path}`);
    }
  } finally {
    progress.end();
  }
}
