import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { separatorNotes } from "../../../../src/node/index.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

function runWith(data: object): string {
  const run = temporaryFolder();
  writeFileSync(join(run, "config.json"), JSON.stringify({ name: "mine", data }));
  return run;
}

test("a prompt without the separator of the run's rows is remarked on", async () => {
  const run = runWith({ type: "jsonl", separator: "\n" });
  expect(await separatorNotes(run, "question")).toEqual([
    expect.stringMatching(/have "\\n" between prompt and completion \(data\.separator\)/),
  ]);
  expect(await separatorNotes(run, "question\n")).toEqual([]);
});

test("rows without one, tasks and model folders have no remark", async () => {
  expect(await separatorNotes(runWith({ type: "jsonl", separator: "" }), "question")).toEqual([]);
  expect(await separatorNotes(runWith({ type: "task" }), "question")).toEqual([]);
  expect(await separatorNotes(temporaryFolder(), "question")).toEqual([]);
});
