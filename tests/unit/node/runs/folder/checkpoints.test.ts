import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { RunConfig } from "../../../../../src/config/index.js";
import { findModelFolder, resolveTraining, type RunEvent } from "../../../../../src/node/index.js";
import { openRunFolder } from "../../../../../src/node/runs/folder/run-folder.js";
import { useCpu } from "../../../../setup/backends/backend.js";
import { runToEnd, tinyConfig, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

beforeAll(useCpu);

/** A run stopped after step 4 of 6, with checkpoints of steps 2 and 4. */
async function stoppedRun() {
  const output = temporaryFolder();
  const config = tinyRun(output, {
    checkpoint: { every: 2, keep: 5 },
    evaluation: { every: 0, rows: 4 },
  });
  await runToEnd(config, { stopAfter: 4 });
  const checkpoints = join(output, "tiny", "checkpoints");
  return { config, checkpoints, newest: join(checkpoints, "step-4") };
}

async function resume(config: RunConfig) {
  const events = await runToEnd(config, { resume: true });
  return events.find(({ type }) => type === "resumed") as Extract<RunEvent, { type: "resumed" }>;
}

test("a checkpoint ends with a mark of all its files, and is resumed without a note", async () => {
  const { config, newest } = await stoppedRun();
  const mark = JSON.parse(readFileSync(join(newest, "complete.json"), "utf8")) as { files: object };
  const others = readdirSync(newest).filter((name) => name !== "complete.json");
  expect(Object.keys(mark.files).sort()).toEqual(others.sort());
  expect(await resume(config)).toMatchObject({ step: 4, notes: [] });
});

test("a run that goes on with other data says so", async () => {
  const output = temporaryFolder();
  const path = join(output, "rows.jsonl");
  const write = (numbers: readonly number[]) => {
    const rows = numbers.map((n) => JSON.stringify({ prompt: `${n}=`, completion: `${n % 7}` }));
    writeFileSync(path, rows.join("\n"));
  };
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  write(numbers);
  const data = { type: "jsonl", path, validationFraction: 0.25 };
  const changes = { data, tokenizer: { type: "byte" }, evaluation: { every: 0, rows: 2 } };
  const config = tinyRun(output, { ...changes, checkpoint: { every: 2 } });
  await runToEnd(config, { stopAfter: 2 });
  expect(
    (await resume(tinyRun(output, { ...config, evaluation: { every: 0, rows: 3 } }))).notes,
  ).toEqual([]);

  const longer = { ...config, trainer: { ...config.trainer, steps: 8 } } as RunConfig;
  write([...numbers, 99, 98, 97, 96]);
  expect((await resume(longer)).notes).toContainEqual(
    "The data is not what the run began with (9 rows to train on, now 12): the steps after step 6 see other rows, and rows that are seen already may come again.",
  );
  write(numbers.map((n) => n + 1));
  const again = { ...config, trainer: { ...config.trainer, steps: 10 } } as RunConfig;
  expect((await resume(again)).notes).toContainEqual(
    expect.stringMatching(/^The data is not what the run began with: the steps after step 8 /),
  );
});

const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, "utf8")));
const state = (change: (text: string) => string) => (folder: string) => {
  edit(join(folder, "trainer-state.json"), change);
};
/** So that not the hashes find it, as in checkpoints of older versions. */
const unmarked = (harm: (folder: string) => void) => (folder: string) => {
  rmSync(join(folder, "complete.json"));
  harm(folder);
};

describe("a broken newest checkpoint is moved aside and said, and the one before is used", () => {
  const harms: [string, (folder: string) => void, RegExp][] = [
    [
      "a changed bit of the weights",
      (folder) => flip(join(folder, "model.safetensors")),
      /model\.safetensors: The file is not the one.*hash differs/,
    ],
    [
      "cut weights",
      (folder) => truncateSync(join(folder, "model.safetensors"), 99),
      /has 99 bytes in place of \d+/,
    ],
    [
      "no optimizer state",
      (folder) => rmSync(join(folder, "optimizer.safetensors")),
      /optimizer\.safetensors: The file is missing/,
    ],
    [
      "a cut mark",
      (folder) => truncateSync(join(folder, "complete.json"), 20),
      /complete\.json: The mark.*not valid JSON/,
    ],
    [
      "an empty mark",
      (folder) => writeFileSync(join(folder, "complete.json"), "{}"),
      /mark of the checkpoint is damaged/,
    ],
    [
      "a mark of nothing",
      (folder) => writeFileSync(join(folder, "complete.json"), '{"formatVersion": 1, "files": {}}'),
      /mark of the checkpoint is damaged/,
    ],
    [
      "an empty folder",
      (folder) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
      },
      /trainer state does not exist/,
    ],
    [
      "no mark, updates below 0",
      unmarked(state((text) => text.replace('"updates": 4', '"updates": -3.5'))),
      /updates is -3\.5, expected a whole number from 0 on/,
    ],
    [
      "no mark, infinite updates",
      unmarked(state((text) => text.replace('"updates": 4', '"updates": 1e999'))),
      /updates is "Infinity", expected/,
    ],
    [
      "no mark, more updates than steps",
      unmarked(state((text) => text.replace('"updates": 4', '"updates": 9'))),
      /updates is 9, expected at most one per step \(4\)/,
    ],
    [
      "no mark, a state that is null",
      unmarked(state(() => "null")),
      /The trainer state is null, expected an object/,
    ],
    [
      "no mark, a wrong loss state",
      unmarked(
        state((text) =>
          text.replace('"updates": 4', '"updates": 4, "lossStates": {"taid": {"alpha": "x"}}'),
        ),
      ),
      /lossStates\.taid\.alpha is "x", expected a number or null/,
    ],
    [
      "no mark, a state of another step",
      unmarked(state((text) => text.replace('"step": 4', '"step": 3'))),
      /is of step 3, its folder of 4|at most one per step/,
    ],
    [
      "no mark, cut weights",
      unmarked((folder) => truncateSync(join(folder, "model.safetensors"), 900)),
      /model\.safetensors.*(ends|outside|bytes)/,
    ],
    [
      "no mark, cut optimizer state",
      unmarked((folder) => truncateSync(join(folder, "optimizer.safetensors"), 900)),
      /optimizer\.safetensors/,
    ],
    [
      "no mark, no weights",
      unmarked((folder) => rmSync(join(folder, "model.safetensors"))),
      /weights file does not exist/,
    ],
    [
      "no mark, a cut config",
      unmarked((folder) => truncateSync(join(folder, "config.json"), 40)),
      /config\.json.*not valid JSON/,
    ],
  ];
  test("by each of these", async () => {
    const { config, checkpoints, newest } = await stoppedRun();
    const copy = join(temporaryFolder(), "run");
    cpSync(join(config.output, "tiny"), copy, { recursive: true });
    for (const [name, harm, message] of harms) {
      rmSync(join(config.output, "tiny"), { recursive: true });
      cpSync(copy, join(config.output, "tiny"), { recursive: true });
      harm(newest);
      const { run, step, notes } = await openRunFolder(join(config.output, "tiny"));
      await run.close();
      expect(step, name).toBe(2);
      expect(notes[0], name).toMatch(message);
      const aside = join(checkpoints, "broken-step-4");
      expect(notes[0], name).toContain(`step 4 is broken and was moved to ${aside}: `);
      expect(readdirSync(checkpoints), name).toContain("broken-step-4");
    }
  });
});

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] as number) ^ 1;
  writeFileSync(path, bytes);
}

test("where none is whole, nothing is moved and the run does not start from the beginning", async () => {
  const { config, checkpoints, newest } = await stoppedRun();
  for (const folder of [newest, join(checkpoints, "step-2")])
    flip(join(folder, "model.safetensors"));
  const before = readdirSync(checkpoints);
  for (let i = 0; i < 2; i++) {
    await expect(resume(config)).rejects.toThrow(
      /None of its 2 checkpoints is whole\. Step 4: .*Step 2: /,
    );
  }
  expect(readdirSync(checkpoints)).toEqual(before);
});

test("a checkpoint of an older version, without a mark, is used, and that is said", async () => {
  const { config, newest } = await stoppedRun();
  rmSync(join(newest, "complete.json"));
  const { step, notes } = await resume(config);
  expect(step).toBe(4);
  expect(notes).toEqual([expect.stringMatching(/step 4 has no mark with hashes/)]);
});

test("a checkpoint beyond the steps is an error with both numbers", async () => {
  const { config } = await stoppedRun();
  const shorter = { ...config, trainer: { ...config.trainer, steps: 3 } };
  await expect(resume(shorter as RunConfig)).rejects.toThrow(
    /trainer\.steps: is 3, but 4 steps are done\. Give 4 or more, or remove the checkpoints after step 3/,
  );
});

test("a folder step-99 that no run wrote hides nothing", async () => {
  const { config, newest, checkpoints } = await stoppedRun();
  cpSync(newest, join(checkpoints, "step-99"), { recursive: true });
  const { step, notes } = await resume(config);
  expect(step).toBe(4);
  expect(notes[0]).toMatch(/step 99 is broken.*is of step 4, its folder of 99/);
});

test("an optimizer state of another model is named, and the checkpoint before is used", async () => {
  const { config, checkpoints, newest } = await stoppedRun();
  const other = tinyConfig(temporaryFolder(), {
    student: { architecture: { family: "llama", hiddenSize: 16, numLayers: 1, numHeads: 2 } },
    evaluation: { every: 0, rows: 4 },
  });
  const wider = tinyRun((other as { output: string }).output, other);
  await runToEnd(wider, { stopAfter: 1 });
  const file = "optimizer.safetensors";
  cpSync(join(wider.output, "tiny/checkpoints/step-1", file), join(newest, file));
  rmSync(join(newest, "complete.json"));
  const { step, notes } = await resume(config);
  expect(step).toBe(2);
  expect(notes[0]).toMatch(
    /step-4\/optimizer\.safetensors: \S+Moment has the shape \[.*\b16\b.*\], its weight \[.*\b8\b.*\]\./,
  );
  // With a mark too, that somebody made for it: what is restored is checked for itself.
  const older = join(checkpoints, "step-6");
  cpSync(join(wider.output, "tiny/checkpoints/step-1", file), join(older, file));
  const mark = join(older, "complete.json");
  const made = JSON.parse(readFileSync(mark, "utf8")) as { files: Record<string, object> };
  const content = readFileSync(join(older, file));
  const sha256 = createHash("sha256").update(content).digest("hex");
  made.files[file] = { bytes: content.length, sha256 };
  writeFileSync(mark, JSON.stringify(made));
  const longer = { ...config, trainer: { ...config.trainer, steps: 8 } } as RunConfig;
  await expect(resume(longer)).rejects.toThrow(
    /step-6\/optimizer\.safetensors: model\.embed_tokens\.weight\.firstMoment has the shape \[\d+, 16\]; expected \[\d+, 8\]\. Resume/,
  );
});

test("a model that is read from a run with a broken newest checkpoint is not another in silence", async () => {
  const { config, newest } = await stoppedRun();
  flip(join(newest, "model.safetensors"));
  await expect(findModelFolder(join(config.output, "tiny"))).rejects.toThrow(
    /newest checkpoint of the run is broken: .*Give an older one: .*step-2/,
  );
});

test("a run config that is cut or no config is a clear error", async () => {
  const { config } = await stoppedRun();
  const path = join(config.output, "tiny");
  for (const text of ["", "{", '{"name": "ti', "null", "[]", "3"]) {
    writeFileSync(join(path, "config.json"), text);
    await expect(resolveTraining(undefined, [`resume=${path}`]), text).rejects.toThrow(
      expect.objectContaining({ name: "PupilError" }),
    );
  }
});
