/** What a checkpoint holds beside its model: what is written, what is read again, and what is refused. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { variableState } from "../../../../../src/models/index.js";
import {
  executorNotes,
  parseTrainerState,
  readReplay,
  replayFiles,
  restoreTrainingState,
  trainingStateFiles,
} from "../../../../../src/node/runs/folder/training-state.js";
import { AdamW } from "../../../../../src/optim/index.js";
import { makeReplay, replaySchema } from "../../../../../src/rollouts/index.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const nothing = { teacher: undefined, projections: undefined };

function saved(files: ReadonlyMap<string, string | Uint8Array>, folder = temporaryFolder()) {
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  return folder;
}

const stateIn = (state: unknown) => saved(new Map([["trainer-state.json", JSON.stringify(state)]]));

/** Parts that hold one variable each, released with the block. */
function parts(values: { weight: number[]; teacher: number[]; projections: number[] }) {
  const weight = tf.tidy(() => tf.variable(tf.tensor1d(values.weight), true));
  const teacher = tf.tidy(() => tf.variable(tf.tensor1d(values.teacher), false));
  const projections = tf.tidy(() => tf.variable(tf.tensor1d(values.projections), true));
  const optimizer = new AdamW(new Map([["weight", weight]]), {});
  return {
    ...{ weight, teacher, projections, optimizer },
    learned: {
      teacher: variableState(new Map([["average", teacher]]), "average"),
      projections: variableState(new Map([["p", projections]]), "projection"),
    },
    [Symbol.dispose]() {
      optimizer.dispose();
      for (const variable of [weight, teacher, projections]) variable.dispose();
    },
  };
}

/** A step down a slope, so that there is something to remember. */
function step({ optimizer, weight }: ReturnType<typeof parts>): void {
  tf.tidy(() => optimizer.apply(new Map([["weight", tf.onesLike(weight)]]), 0.1, tf.scalar(1)));
}

describe("the files of a checkpoint", () => {
  test("hold the step, the updates, the moments, what losses and what others have learned", async () => {
    using mine = parts({ weight: [1, 2], teacher: [3], projections: [4, 5] });
    step(mine);
    const lossStates = { taid: { alpha: 0.5, least: Infinity, none: null } };
    const files = await trainingStateFiles(7, mine.optimizer, lossStates, mine.learned);
    expect([...files.keys()]).toEqual([
      ...["optimizer.safetensors", "teacher.safetensors", "projections.safetensors"],
      "trainer-state.json",
    ]);
    expect(files.get("trainer-state.json")).toBe(
      `${JSON.stringify({ step: 7, updates: 1, lossStates: { taid: { alpha: 0.5, least: "Infinity", none: null } }, executor: "cpu" }, null, 2)}\n`,
    );
    const folder = saved(files);
    using others = parts({ weight: [0, 0], teacher: [0], projections: [0, 0] });
    expect(await restoreTrainingState(folder, others.optimizer, others.learned)).toEqual(
      lossStates,
    );
    expect([...others.teacher.dataSync()]).toEqual([3]);
    expect([...others.projections.dataSync()]).toEqual([4, 5]);
    // The student's weights are in its own file.
    expect([...others.weight.dataSync()]).toEqual([0, 0]);
    expect(await others.optimizer.state()).toEqual(await mine.optimizer.state());
  });

  test("are those of what there is", async () => {
    using mine = parts({ weight: [1], teacher: [3], projections: [4] });
    const files = await trainingStateFiles(1, mine.optimizer, undefined, nothing);
    expect([...files.keys()]).toEqual(["optimizer.safetensors", "trainer-state.json"]);
    const folder = saved(files);
    expect(await restoreTrainingState(folder, mine.optimizer, nothing)).toEqual({});
    await expect(restoreTrainingState(folder, mine.optimizer, mine.learned)).rejects.toThrow(
      `${join(folder, "teacher.safetensors")}: The state of the teacher does not exist.`,
    );
  });

  test("that are missing are named by what they are", async () => {
    using mine = parts({ weight: [1], teacher: [3], projections: [4] });
    const folder = saved(await trainingStateFiles(1, mine.optimizer, undefined, mine.learned));
    for (const [file, what] of [
      ["projections.safetensors", "state of the projections"],
      ["optimizer.safetensors", "optimizer state"],
      ["trainer-state.json", "trainer state"],
    ] as const) {
      rmSync(join(folder, file));
      await expect(restoreTrainingState(folder, mine.optimizer, mine.learned)).rejects.toThrow(
        `${join(folder, file)}: The ${what} does not exist.`,
      );
    }
  });
});

describe("the state of a trainer", () => {
  test("is read with numbers that JSON has no form for, and without what it may lack", () => {
    expect(parseTrainerState({ step: 2, updates: 0 }, "s.json")).toEqual({ step: 2, updates: 0 });
    const whole = {
      ...{ step: 2, updates: 2, executor: "cpu" },
      lossStates: { a: { x: "NaN", y: "-Infinity", z: null, w: 1 } },
    };
    expect(parseTrainerState(whole, "s.json")).toEqual({
      ...whole,
      lossStates: { a: { x: NaN, y: -Infinity, z: null, w: 1 } },
    });
  });

  const whole = "a whole number from 0 on";
  test.each([
    [null, "The trainer state is null, expected an object"],
    [[], "The trainer state is [], expected an object"],
    ["x", 'The trainer state is "x", expected an object'],
    [{ updates: 1 }, `step is undefined, expected ${whole}`],
    [{ step: -1, updates: 0 }, `step is -1, expected ${whole}`],
    [{ step: 1.5, updates: 0 }, `step is 1.5, expected ${whole}`],
    [{ step: 1, updates: "1" }, `updates is "1", expected ${whole}`],
    [{ step: 1, updates: -1 }, `updates is -1, expected ${whole}`],
    [{ step: 1, updates: 2 }, "updates is 2, expected at most one per step (1)"],
    [{ step: 1, updates: 1, executor: 3 }, "executor is 3, expected a name"],
    [
      { step: 1, updates: 1, lossStates: 3 },
      "lossStates is 3, expected a number or null for each name",
    ],
    [
      { step: 1, updates: 1, lossStates: { taid: 3 } },
      "lossStates.taid is 3, expected a number or null for each name",
    ],
    [
      { step: 1, updates: 1, lossStates: { taid: { alpha: true } } },
      "lossStates.taid.alpha is true, expected a number or null for each name",
    ],
  ])("that no run wrote is refused by its field: %j", (state, problem) => {
    expect(() => parseTrainerState(state, "s.json")).toThrow(
      expect.objectContaining({
        name: "PupilError",
        field: "s.json",
        message: `s.json: ${problem}. Resume from a checkpoint that a training run wrote.`,
      }),
    );
  });
});

describe("what computed a checkpoint", () => {
  test("is said where another goes on with it, and only there", async () => {
    const state = { step: 1, updates: 1 };
    expect(await executorNotes(stateIn({ ...state, executor: "cpu" }))).toEqual([]);
    expect(await executorNotes(stateIn(state))).toEqual([]);
    expect(await executorNotes(stateIn({ ...state, executor: "wasm: AVX-512" }))).toEqual([
      "The checkpoint was written on wasm: AVX-512 and is continued on cpu: the run is the same up to rounding, not bit for bit.",
    ]);
    const folder = temporaryFolder();
    await expect(executorNotes(folder)).rejects.toThrow(
      `${join(folder, "trainer-state.json")}: The trainer state does not exist.`,
    );
  });
});

describe("a replay", () => {
  const written = {
    rollout: { promptIds: [1], completionIds: [2], tokenLogProbs: [-0.5], finished: true },
    source: { ids: [1, 2], completionStart: 1 },
  };

  test("is a file of its own, which is read as it was", async () => {
    const replay = makeReplay(replaySchema.parse({ capacity: 4 }), undefined);
    replay.add([written]);
    const files = replayFiles(replay);
    expect([...files.keys()]).toEqual(["replay.json"]);
    expect(await readReplay(saved(files))).toEqual(replay.state());
    expect(replayFiles(undefined).size).toBe(0);
    // A student that diverges has no finite loss: what was saved of it is read all the same.
    replay.observe(Infinity);
    expect((await readReplay(saved(replayFiles(replay)))).validationLoss).toBe(Infinity);
  });

  test("that no run wrote is refused by its field", async () => {
    const state = { threshold: 0.5, validationLoss: null, rows: [written] };
    const folder = saved(new Map([["replay.json", JSON.stringify({ ...state, threshold: 2 })]]));
    const path = join(folder, "replay.json");
    await expect(readReplay(folder)).rejects.toThrow(
      `${path}: threshold: This is no replay that a training run wrote. Resume from a checkpoint that a training run wrote.`,
    );
    writeFileSync(path, "3");
    await expect(readReplay(folder)).rejects.toThrow(`${path}: This is no replay`);
    rmSync(path);
    await expect(readReplay(folder)).rejects.toThrow(`${path}: The replay does not exist.`);
  });
});
