import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { candidates } from "../../../src/cli/completion/candidates.js";
import { fieldValues } from "../../../src/cli/completion/field-values.js";
import { commands } from "../../../src/cli/program/commands.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

/** What a line such as `pupil train tr` may go on with, its last word up to its end. */
const after = (line: string) => candidates(commands, line.split(" ").slice(1));

describe("what Tab offers", () => {
  test.each([
    ["pupil eva", ["evaluate"]],
    ["pupil help record", ["record-teacher"]],
    ["pupil nothing ", []],
    ["pupil init ", ["text", "jsonl", "on-policy", "pairs"]],
    ["pupil completion f", ["fish"]],
    ["pupil ablate red", ["redi"]],
    ["pupil describe loss reverse", []],
    ["pupil generate no-such-folder backend=w", ["backend=webgpu", "backend=wasm"]],
    ["pupil generate no-such-folder chat=", ["chat=true", "chat=false"]],
    ["pupil train no-such-file trust=", ["trust=true"]],
    ["pupil train no-such-file trainer", ["trainer."]],
    ["pupil train no-such-file trainer.type=d", ["trainer.type=distill"]],
    ["pupil doctor ", []],
    ["pupil generate --", ["--help"]],
  ])("%s", async (line, expected) => {
    expect(await after(line)).toEqual(expected);
  });

  test("every command by its beginning", async () => {
    const names = commands.map(({ name }) => name);
    expect(await after("pupil ")).toEqual([...names, "help", "--help", "--version"]);
  });

  test("fields of all forms of a part, without those that are given", async () => {
    const fields = await after("pupil train no-such-file trainer.steps=3 trainer.");
    expect(fields).toEqual(expect.arrayContaining(["trainer.batchSize=", "trainer.sampling."]));
    expect(fields).not.toContain("trainer.steps=");
    expect(await after("pupil train no-such-file trainer.sampling.top")).toEqual([
      "trainer.sampling.topK=",
      "trainer.sampling.topP=",
    ]);
  });

  test("paths, as arguments and as values, with a slash behind folders", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "runs"));
    for (const name of ["run.json", ".hidden"]) writeFileSync(join(folder, name), "{}");
    const both = [`${folder}/run.json`, `${folder}/runs/`];
    expect(await after(`pupil train ${folder}/`)).toEqual(both);
    expect(await after(`pupil train resume=${folder}/runs`)).toEqual([`resume=${both[1]}`]);
    expect(await after(`pupil train ${folder}/.`)).toEqual([`${folder}/.hidden`]);
    expect(await after(`pupil train ${folder}/none/`)).toEqual([]);
  });
});

test("fields of a schema: leaves only, with values where there are few", () => {
  const schema = z.object({
    shape: z.discriminatedUnion("type", [
      z.object({ type: z.literal("round"), radius: z.number() }),
      z.object({ type: z.literal("square"), side: z.number(), filled: z.boolean().optional() }),
    ]),
    colour: z.enum(["red", "blue"]).default("red"),
    parts: z.array(z.object({ inner: z.string() })),
  });
  expect(Object.fromEntries(fieldValues(schema))).toEqual({
    "shape.type": ["round", "square"],
    "shape.radius": [],
    "shape.side": [],
    "shape.filled": ["true", "false"],
    colour: ["red", "blue"],
    parts: [],
  });
});
