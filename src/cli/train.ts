import { join } from "node:path";
import { startBackend } from "../backend/index.js";
import { nodePlatform, resolveTraining, trainRun } from "../node/index.js";
import { showProgress } from "./progress.js";
import { writeLine } from "./terminal.js";

/** `pupil train <config.json> [key=value …]`. */
export async function trainCommand(
  configPath: string | undefined,
  overrides: string[],
): Promise<void> {
  const { config, path, resume } = await resolveTraining(configPath, overrides);
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  const progress = showProgress(config.trainer.steps, process.stderr);
  progress.line(backend.line);

  const stop = new AbortController();
  const onInterrupt = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
    progress.line("Stopping after this step; press Ctrl-C again to quit without a checkpoint.");
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  try {
    for await (const event of trainRun({ config, path, resume, signal: stop.signal })) {
      progress.show(event);
      if (event.type === "finished" && event.stopped) process.exitCode = 130;
    }
  } finally {
    progress.end();
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
  if (process.exitCode === 130) {
    writeLine(process.stderr, `Continue with: pupil train resume=${join(path)}`);
  }
}
