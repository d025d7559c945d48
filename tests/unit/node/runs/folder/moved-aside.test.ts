/** Checkpoints that are not whole: where they go, and what of one without hashes can be seen. */
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
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import {
  checkCheckpoint,
  newestWholeCheckpoint,
} from "../../../../../src/node/runs/folder/newest-checkpoint.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

let folder = "";
const whole = () => join(folder, "tiny/checkpoints/step-1");
const adapted = () => join(folder, "adapter/checkpoints/step-1");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "checkpoints-"));
  const few = {
    trainer: { type: "sft", steps: 1, batchSize: 1 },
    evaluation: { every: 0, rows: 1 },
  };
  await runToEnd(tinyRun(folder, few));
  const student = { from: join(folder, "tiny"), lora: { rank: 1 } };
  await runToEnd(tinyRun(folder, { ...few, name: "adapter", student }));
  return () => rmSync(folder, { recursive: true });
});

/** A folder with this checkpoint as that of some steps. */
function checkpoints(steps: readonly number[], harmed: readonly number[], of = whole()): string {
  const path = temporaryFolder();
  for (const step of steps) {
    const to = join(path, `step-${step}`);
    cpSync(of, to, { recursive: true });
    const state = join(to, "trainer-state.json");
    const text = readFileSync(state, "utf8").replace('"step": 1', `"step": ${step}`);
    writeFileSync(state, text);
    // Its own mark knows another state.
    rmSync(join(to, "complete.json"));
    if (harmed.includes(step)) rmSync(join(to, "tokenizer.json"));
  }
  return path;
}

describe("the newest checkpoint that is whole", () => {
  test("is found behind any number of others, which are moved aside and said", async () => {
    const path = checkpoints([1, 2, 3], [2, 3]);
    const { step, notes } = await newestWholeCheckpoint(path, [1, 2, 3]);
    expect(step).toBe(1);
    const moved = (number: number) =>
      `The checkpoint of step ${number} is broken and was moved to ${join(path, `broken-step-${number}`)}: ${join(path, `step-${number}/tokenizer.json`)}: The tokenizer does not exist. Paths are relative to ${process.cwd()}.`;
    expect(notes).toEqual([
      ...[moved(3), moved(2), "Step 1 is the newest that is whole."],
      "The checkpoint of step 1 has no mark with hashes (an older version wrote it): its files can be read, but were not compared.",
    ]);
    expect(readdirSync(path).sort()).toEqual(["broken-step-2", "broken-step-3", "step-1"]);
  });

  test("takes no name that another broken one has", async () => {
    const path = checkpoints([1, 2], [2]);
    for (const name of ["broken-step-2", "broken-step-2-2"]) mkdirSync(join(path, name));
    const { notes } = await newestWholeCheckpoint(path, [1, 2]);
    expect(notes[0]).toContain(`was moved to ${join(path, "broken-step-2-3")}: `);
    expect(readdirSync(path).sort()).toEqual([
      ...["broken-step-2", "broken-step-2-2", "broken-step-2-3", "step-1"],
    ]);
  });

  test("is none where there is none, and an error where none is whole", async () => {
    const path = checkpoints([1, 2], [1, 2]);
    expect(await newestWholeCheckpoint(path, [])).toEqual({ step: 0, notes: [] });
    await expect(newestWholeCheckpoint(path, [1, 2])).rejects.toThrow(
      new RegExp(
        `^${path}: None of its 2 checkpoints is whole\\. Step 2: .* Step 1: .*Restore one from a copy, or start the run again under another name\\.$`,
      ),
    );
    expect(readdirSync(path).sort()).toEqual(["step-1", "step-2"]);
  });

  test("is not looked for any further than it is", async () => {
    const path = checkpoints([1, 2], [1]);
    const { step, notes } = await newestWholeCheckpoint(path, [1, 2]);
    expect([step, notes.length]).toEqual([2, 1]);
    expect(readdirSync(path).sort()).toEqual(["step-1", "step-2"]);
  });
});

describe("a checkpoint", () => {
  test("with a mark is compared with it, one without is read", async () => {
    expect(await checkCheckpoint(whole(), 1)).toBe(true);
    expect(await checkCheckpoint(adapted(), 1)).toBe(true);
    expect(await checkCheckpoint(join(checkpoints([1], []), "step-1"), 1)).toBe(false);
    expect(await checkCheckpoint(join(checkpoints([1], [], adapted()), "step-1"), 1)).toBe(false);
    await expect(checkCheckpoint(whole(), 2)).rejects.toThrow(
      `${join(whole(), "trainer-state.json")}: The trainer state is of step 1, its folder of 2.`,
    );
  });

  test.each([
    ["config.json", "The model config does not exist"],
    ["tokenizer.json", "The tokenizer does not exist"],
    ["model.safetensors", "The weights file does not exist"],
    ["optimizer.safetensors", "The file is missing."],
    ["trainer-state.json", "The trainer state does not exist"],
  ])("without a mark and without %s is not whole", async (name, problem) => {
    const path = join(checkpoints([1], []), "step-1");
    rmSync(join(path, name));
    await expect(checkCheckpoint(path, 1)).rejects.toThrow(`${join(path, name)}: ${problem}`);
  });

  test.each([
    ["adapter_config.json", "The model config does not exist|config\\.json"],
    ["adapter_model.safetensors", "adapter_model\\.safetensors: The file is missing\\."],
    ["optimizer.safetensors", "optimizer\\.safetensors: The file is missing\\."],
    ["tokenizer.json", "The tokenizer does not exist"],
  ])("of an adapter without a mark and without %s neither", async (name, problem) => {
    const path = join(checkpoints([1], [], adapted()), "step-1");
    rmSync(join(path, name));
    await expect(checkCheckpoint(path, 1)).rejects.toThrow(new RegExp(problem));
  });

  test("that is cut short in any of its files of tensors neither", async () => {
    for (const [of, name] of [
      [whole(), "model.safetensors"],
      [whole(), "optimizer.safetensors"],
      [adapted(), "adapter_model.safetensors"],
    ] as const) {
      const path = join(checkpoints([1], [], of), "step-1");
      truncateSync(join(path, name), readFileSync(join(path, name)).length - 1);
      await expect(checkCheckpoint(path, 1), name).rejects.toThrow(join(path, name));
    }
  });
});
