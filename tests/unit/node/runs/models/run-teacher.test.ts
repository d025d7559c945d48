import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunConfig } from "../../../../../src/config/index.js";
import { resolveTraining, trainRun } from "../../../../../src/node/index.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

const trainer = { type: "distill", steps: 4, batchSize: 2, loss: [{ type: "forward-kl" }] };
const common = { trainer, evaluation: { every: 0, rows: 1 }, checkpoint: { every: 2 } };

const manifestOf = (config: RunConfig, step: number): Record<string, unknown> =>
  JSON.parse(
    readFileSync(join(config.output, config.name, `checkpoints/step-${step}/teacher.json`), "utf8"),
  ) as Record<string, unknown>;

async function resumed(config: RunConfig, newTeacher: boolean): Promise<readonly string[]> {
  const path = join(config.output, config.name);
  let notes: readonly string[] = [];
  for await (const event of trainRun({ config, path, resume: true, newTeacher })) {
    if (event.type === "resumed") notes = event.notes;
  }
  return notes;
}

describe("a checkpoint says what its teacher was", () => {
  test("and a run goes on with no other, unless it is meant", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const config = tinyRun(join(folder, "run"), { ...common, teacher: { from } });
    await runToEnd(config, { stopAfter: 2 });
    const { teacher, tokenizer } = manifestOf(config, 2) as { teacher: Record<string, unknown> } & {
      tokenizer: string;
    };
    expect(teacher).toMatchObject({ kind: "model", hashOf: "files", tokenizer });
    expect(teacher["hash"]).toMatch(/^[0-9a-f]{64}$/);
    // Other weights under the same name.
    rmSync(from, { recursive: true });
    await saveTinyTeacher(folder, { seed: 4 });
    await expect(resumed(config, false)).rejects.toThrow(
      /not the one that this run learned from: teacher: hash .* then, .* now.*newTeacher=true/s,
    );
    expect((await resumed(config, true)).join()).toContain("another than before, as asked for");
    expect(manifestOf(config, 4)).not.toMatchObject({ teacher: { hash: teacher["hash"] } });
  });

  test("with the members of a mixture and their routes", async () => {
    const folder = temporaryFolder();
    const one = await saveTinyTeacher(folder, { name: "one" });
    const two = await saveTinyTeacher(folder, { name: "two", seed: 4 });
    const teachers = [{ from: one, when: { prompt: "^[0-4]" } }, { from: two }];
    const teacher = { type: "mixture", mode: "route", teachers };
    const config = tinyRun(join(folder, "run"), { ...common, teacher });
    await runToEnd(config, { stopAfter: 2 });
    expect(manifestOf(config, 2)).toMatchObject({
      teacher: {
        kind: "mixture",
        hashOf: "members",
        options: { mode: "route" },
        members: [{ kind: "model", options: { when: { prompt: "^[0-4]" } } }, { kind: "model" }],
      },
    });
    const changed = {
      ...teacher,
      teachers: [{ from: one, when: { prompt: "^[0-5]" } }, { from: two }],
    };
    const other = tinyRun(join(folder, "run"), { ...common, teacher: changed });
    await expect(resumed(other, false)).rejects.toThrow("teacher.teachers.0: other options");
    expect(await resumed(config, false)).toEqual([]);
  });

  test("an older checkpoint says nothing, which is said", async () => {
    const folder = temporaryFolder();
    const config = tinyRun(join(folder, "run"), {
      ...common,
      teacher: { type: "hidden-markov", states: 2 },
    });
    await runToEnd(config, { stopAfter: 2 });
    expect(manifestOf(config, 2)).toMatchObject({ teacher: { hashOf: "description" } });
    const checkpoint = join(config.output, config.name, "checkpoints/step-2");
    for (const name of ["teacher.json", "complete.json"]) rmSync(join(checkpoint, name));
    expect((await resumed(config, false)).join()).toContain("does not say what its teacher was");
  });

  test("newTeacher=true allows another teacher in the config", async () => {
    const folder = temporaryFolder();
    const config = tinyRun(join(folder, "run"), {
      ...common,
      teacher: { type: "hidden-markov", states: 2 },
    });
    await runToEnd(config, { stopAfter: 2 });
    const words = [`resume=${join(config.output, config.name)}`, "teacher.states=3"];
    await expect(resolveTraining(undefined, words)).rejects.toThrow(
      "with newTeacher=true also teacher",
    );
    const training = await resolveTraining(undefined, [...words, "newTeacher=true"]);
    expect(training).toMatchObject({ newTeacher: true, config: { teacher: { states: 3 } } });
  });
});
