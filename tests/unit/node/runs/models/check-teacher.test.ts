import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  checkTeacher,
  manifestFiles,
  manifestOf,
  takeNewTeacher,
} from "../../../../../src/node/runs/models/run-teacher.js";
import { hashOfFiles, type TeacherManifest } from "../../../../../src/node/teachers/index.js";
import { tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

test("the word is taken out of a command wherever it stands, and nothing else", () => {
  expect(takeNewTeacher(["a=1", "newTeacher=true", "b=2"])).toEqual({
    ...{ newTeacher: true, rest: ["a=1", "b=2"] },
  });
  for (const words of [[], ["a=1"], ["newTeacher=false"], ["x.newTeacher=true"]]) {
    expect(takeNewTeacher(words)).toEqual({ newTeacher: false, rest: words });
  }
});

const teacher = { kind: "model", hash: "aaaa", hashOf: "files", options: { from: "t" } } as const;
const manifest: TeacherManifest = { version: 1, tokenizer: "chars", teacher };

function checkpointWith(content: unknown): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "teacher.json"), JSON.stringify(content));
  return folder;
}

describe("a run that goes on", () => {
  test("with the same teacher says nothing, nor one without any", async () => {
    const folder = temporaryFolder();
    for (const [name, text] of manifestFiles(manifest)) writeFileSync(join(folder, name), text);
    expect(await checkTeacher(folder, manifest, false)).toEqual([]);
    expect(await checkTeacher(temporaryFolder(), undefined, false)).toEqual([]);
    expect(manifestFiles(undefined).size).toBe(0);
  });

  test("from an older checkpoint says that nobody knows", async () => {
    for (const isMeant of [true, false]) {
      expect(await checkTeacher(temporaryFolder(), manifest, isMeant)).toEqual([
        "The checkpoint does not say what its teacher was (an older version wrote it).",
      ]);
    }
  });

  test.each([
    [
      "another",
      { ...manifest, teacher: { ...teacher, hash: "bbbb" } },
      "teacher: hash aaaa then, bbbb now",
    ],
    ["none", undefined, "teacher: there is none now"],
    ["scores besides", { ...manifest, scores: teacher }, "scores: there was none"],
    ["another tokenizer", { ...manifest, tokenizer: "bytes" }, "the tokenizer of the run"],
    [
      "another of another tokenizer",
      { ...manifest, tokenizer: "bytes", teacher: { ...teacher, kind: "http" } },
      "the tokenizer of the run; teacher: model then, http now",
    ],
  ])("with %s is refused, unless it is meant", async (_what, now, what) => {
    const folder = checkpointWith(manifest);
    await expect(checkTeacher(folder, now as never, false)).rejects.toThrow(
      `${join(folder, "teacher.json")}: The teacher is not the one that this run learned from: ${what}. Restore it, or add newTeacher=true to go on with the other one.`,
    );
    expect(await checkTeacher(folder, now as never, true)).toEqual([
      `The teacher is another than before, as asked for: ${what}.`,
    ]);
  });

  test.each([3, {}, { version: 2, tokenizer: "chars" }, { version: 1, tokenizer: 3 }])(
    "a file that is no manifest is said to be none: %j",
    async (content) => {
      const folder = checkpointWith(content);
      await expect(checkTeacher(folder, manifest, true)).rejects.toThrow(
        `${join(folder, "teacher.json")}: This is no manifest of a teacher. Resume from a checkpoint that a training run wrote.`,
      );
    },
  );
});

describe("what a run learns from", () => {
  const tokenizer = { fingerprint: "chars" };
  const loaded = { notes: [], settings: {}, connect: () => Promise.reject(), dispose: () => {} };

  test("is nothing where it has no teacher", async () => {
    expect(await manifestOf(tinyRun("runs"), tokenizer, undefined, undefined)).toBeUndefined();
  });

  test("is its teacher, with its options", async () => {
    const run = tinyRun("runs", {
      teacher: { type: "hidden-markov", states: 2 },
      trainer: { type: "distill", steps: 1, loss: [{ type: "forward-kl" }] },
    });
    expect(await manifestOf(run, tokenizer, loaded as never, undefined)).toMatchObject({
      ...{ version: 1, tokenizer: "chars" },
      teacher: { kind: "hidden-markov", hashOf: "files", options: { states: 2 } },
    });
  });

  test("is the scores of a run that ranks, by the bytes of their files", async () => {
    const path = join(temporaryFolder(), "scores.trec");
    writeFileSync(path, "q Q0 d 1 2 x");
    const scores = { type: "file", path };
    const trainer = { type: "rank", steps: 1, scores, loss: [{ type: "list-kl" }] };
    const ranks = tinyRun("runs", { trainer });
    const loadedScores = { teacher: {} as never, files: [path], dispose: () => {} };
    expect(await manifestOf(ranks, tokenizer, undefined, loadedScores)).toEqual({
      ...{ version: 1, tokenizer: "chars" },
      scores: { kind: "file", hash: await hashOfFiles([path]), hashOf: "files", options: scores },
    });
    // Scores that only sort the lists of an evaluation teach nothing.
    expect(await manifestOf(tinyRun("runs"), tokenizer, undefined, loadedScores)).toBeUndefined();
  });
});
