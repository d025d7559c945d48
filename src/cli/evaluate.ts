import { startBackend } from "../backend/index.js";
import { evaluateRun, nodePlatform, resolveEvaluation, toJson } from "../node/index.js";

/** `pupil evaluate <config.json | run folder> [model=<folder>] [key=value …]`: JSON on stdout. */
export async function evaluateCommand(path: string, words: string[]): Promise<void> {
  const config = await resolveEvaluation(path, words);
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  process.stderr.write(`${backend.line}\n`);
  const { metrics, completions } = await evaluateRun(config);
  process.stdout.write(`${toJson({ metrics, completions }, 2)}\n`);
}
