import { startBackend } from "../../../backend/index.js";
import {
  evaluateRun,
  nodePlatform,
  resolveEvaluation,
  toJson,
  writeFileAtomic,
} from "../../../node/index.js";
import { formatNumber } from "../../terminal/format.js";
import { tableText } from "../../terminal/table-text.js";
import { writeLine, writeText } from "../../terminal/terminal.js";

/** `pupil evaluate <config.json | run folder> [model=<folder>] [json=<file>] [key=value …]`. */
export async function evaluateCommand(path: string, words: string[]): Promise<void> {
  const json = words.find((word) => word.startsWith("json="))?.slice("json=".length);
  const rest = words.filter((word) => !word.startsWith("json="));
  const config = await resolveEvaluation(path, rest);
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  writeLine(process.stderr, backend.line);
  const { metrics, completions, notes } = await evaluateRun(config);
  for (const note of notes) writeLine(process.stderr, note);
  const text = `${toJson({ metrics, completions }, 2)}\n`;
  if (json === "-") {
    writeText(process.stdout, text);
    return;
  }
  const title = `${config.student.from}: held-out measures`;
  const rows = Object.entries(metrics).map(([name, value]) => [name, formatNumber(value)]);
  writeLine(
    process.stdout,
    tableText({ title, head: ["measure", "value"], rows }, { isCompact: true }),
  );
  if (json === undefined) return;
  await writeFileAtomic(json, text);
  writeLine(process.stdout, `Measures and completions: ${json}`);
}
