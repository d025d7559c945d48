import { startBackend } from "../../../backend/index.js";
import {
  nodePlatform,
  type RecordEvent,
  recordTeacher,
  resolveRecording,
} from "../../../node/index.js";
import type { RecordingManifest } from "../../../teachers/index.js";
import { formatNumber } from "../../terminal/format.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil record-teacher <config.json | run folder> output=<folder> [key=value …]`. */
export async function recordTeacherCommand(path: string, words: string[]): Promise<void> {
  const { config, options } = await resolveRecording(path, words);
  const backend = await startBackend(config.backend, { platform: nodePlatform });
  writeLine(process.stderr, backend.line);
  let size = 0;
  for await (const event of recordTeacher(config, options)) {
    if (event.type === "started") size = event.rows;
    writeLine(process.stderr, textOf(event, size, options.output));
  }
}

function textOf(event: RecordEvent, size: number, folder: string): string {
  if (event.type === "started") {
    return [...event.notes, `Recording ${formatNumber(size)} rows into ${folder}.`].join("\n");
  }
  if (event.type === "shard") {
    const state = event.kept ? "was there" : "written";
    return `${event.file} ${state}: ${formatNumber(event.sourceRows)} of ${formatNumber(size)} rows.`;
  }
  const { counts, shards, teacher } = event.manifest;
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const perToken = formatNumber(bytes / Math.max(1, counts.tokens));
  return [
    `Recorded ${formatNumber(counts.tokens)} tokens of ${formatNumber(counts.rows)} rows: ` +
      `${formatNumber(bytes)} bytes, ${perToken} per token. ` +
      `Left out: ${formatNumber(counts.repeated)} repeated rows.`,
    ...(counts.unfinished === 0
      ? []
      : [
          `${formatNumber(counts.unfinished)} completions were cut off before the teacher ended them (by maxNewTokens, or by its context); what text they have is kept, and no end is learned behind it.`,
        ]),
    `Teacher hash (${teacher.hashOf}): ${teacher.hash}`,
    `Train from it with: ${rowsOf(event.manifest, folder)}teacher='{"type":"${event.manifest.tokens === "hidden-states" ? "hidden-states" : "recorded"}","from":"${folder}"}' trainer.onPolicyFraction=0`,
  ].join("\n");
}

/** The teacher's own completions are data of their own: the config's rows are not in the recording. */
function rowsOf({ source }: RecordingManifest, folder: string): string {
  return source["generate"] === true
    ? `data='{"type":"jsonl","path":"${folder}/rows.jsonl"}' `
    : "";
}
