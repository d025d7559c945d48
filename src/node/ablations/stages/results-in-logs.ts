import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { writeFileAtomic } from "../../files/atomic.js";
import { exists } from "../../files/file-exists.js";
import type { PlannedStage } from "./stage.js";

/** What a report reads of a run; its checkpoints stay where it ran. The mark is the last. */
const sentFiles = ["config.json", "metrics.jsonl", "problems.json", "summary.json"];
const start = "pupil-result ";
/** Longest line: a logger may cut longer ones. */
const lineLength = 4000;

/**
 * The results of a finished run as lines of a log: `pupil-result <file> <number of lines> <SHA-256> <base64 of gzip>`.
 */
export async function resultLines({ folder, mark }: PlannedStage): Promise<string[]> {
  const lines: string[] = [];
  for (const name of [...sentFiles, mark]) {
    if (!(await exists(join(folder, name)))) continue;
    const content = await readFile(join(folder, name));
    const text = gzipSync(content).toString("base64");
    const hash = createHash("sha256").update(content).digest("hex");
    const count = Math.ceil(text.length / lineLength);
    for (let i = 0; i < count; i++) {
      const part = text.slice(i * lineLength, (i + 1) * lineLength);
      lines.push(`${start}${name} ${count} ${hash} ${part}\n`);
    }
  }
  return lines;
}

/**
 * Writes the results that a log holds into a folder. A log that lacks a part of them, or the mark, leaves nothing: the
 * run then counts as lost.
 */
export async function takeResults(logs: string, { folder, mark }: PlannedStage): Promise<void> {
  const found = new Map<string, { count: number; hash: string; parts: string[] }>();
  for (const line of logs.split("\n")) {
    const at = line.indexOf(start);
    if (at < 0) continue;
    const [name = "", count = "", hash = "", part = ""] = line
      .slice(at + start.length)
      .trim()
      .split(" ");
    if (![...sentFiles, mark].includes(name)) continue;
    const known = found.get(name);
    // Of a cell that ran twice the last one counts.
    if (known === undefined || known.hash !== hash || known.parts.length === known.count) {
      found.set(name, { count: Number(count), hash, parts: [part] });
    } else known.parts.push(part);
  }
  const files: [string, Buffer][] = [];
  for (const [name, { hash, parts }] of found) {
    const content = unpack(parts.join(""));
    if (content === undefined) return;
    if (createHash("sha256").update(content).digest("hex") !== hash) return;
    files.push([name, content]);
  }
  if (!found.has(mark) || !found.has("summary.json")) return;
  for (const [name, content] of files) {
    if (name !== mark) await writeFileAtomic(join(folder, name), content);
  }
  await writeFileAtomic(join(folder, mark), files.find(([name]) => name === mark)?.[1] ?? "");
}

function unpack(text: string): Buffer | undefined {
  try {
    return gunzipSync(Buffer.from(text, "base64"));
  } catch {
    return undefined;
  }
}
