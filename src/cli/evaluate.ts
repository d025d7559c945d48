import { startBackend } from "../backend/index.js";
import { evaluateRun, nodePlatform, resolveEvaluation, toJson } from "../node/index.js";
import { writeLine, writeText } from "./terminal.js";

/** `pupil evaluate <config.json | run folder> [model=<folder>] [key=value …]`: JSON on stdout. */
export async function evaluateCommand(path: string, words: string[]): Promise<void> {
  const config = await resolveEvaluation(path, words);
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  writeLine(process.stderr, backend.line);
  const { metrics, completions, notes } = await evaluateRun(config);
  for (const note of notes) writeLine(process.stderr, note);
  writeText(process.stdout, `${toJson({ metrics, completions }, 2)}\n`);
}
