import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resultLines, takeResults } from "../../../../src/node/ablations/stages/results-in-logs.js";
import type { PlannedStage } from "../../../../src/node/ablations/stages/stage.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const stageIn = (folder: string) => ({ folder, mark: "cell.json" }) as PlannedStage;

/** A finished run, with a log that takes several lines. */
function finished(rows = 3000): { stage: PlannedStage; files: Record<string, string> } {
  const stage = stageIn(join(temporaryFolder(), "run"));
  const log = Array.from({ length: rows }, (_, i) => `{"step":${i},"loss":${Math.sin(i)}}\n`).join(
    "",
  );
  const files = { "metrics.jsonl": log, "summary.json": '{"final":{}}', "cell.json": "{}" };
  mkdirSync(stage.folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(stage.folder, name), text);
  return { stage, files };
}

describe("results in a log", () => {
  test("are those of the run, also among other lines and behind a prefix", async () => {
    const { stage, files } = finished();
    const lines = await resultLines(stage);
    expect(lines.length).toBeGreaterThan(5);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(4200);
    const log = ["starting\n", ...lines.map((line) => `(pid=7) ${line}noise\n`)].join("");
    const target = stageIn(join(temporaryFolder(), "here"));
    await takeResults(log, target);
    for (const [name, text] of Object.entries(files)) {
      expect(readFileSync(join(target.folder, name), "utf8")).toBe(text);
    }
  });

  test("of a run that wrote them twice are the last ones", async () => {
    const first = await resultLines(finished(10).stage);
    const { stage, files } = finished(20);
    const target = stageIn(join(temporaryFolder(), "here"));
    await takeResults([...first, ...(await resultLines(stage))].join(""), target);
    expect(readFileSync(join(target.folder, "metrics.jsonl"), "utf8")).toBe(files["metrics.jsonl"]);
  });

  test.each<[string, (lines: string[]) => string[]]>([
    ["a line less", (lines) => lines.slice(1)],
    ["no mark", (lines) => lines.slice(0, -1)],
    ["a broken line", ([line = "", ...rest]) => [`${line.slice(0, -20)}\n`, ...rest]],
    ["nothing", () => []],
  ])("are not taken from a log with %s", async (_what, change) => {
    const lines = await resultLines(finished().stage);
    const target = stageIn(join(temporaryFolder(), "here"));
    await takeResults(change(lines).join(""), target);
    expect(existsSync(target.folder)).toBe(false);
  });
});
