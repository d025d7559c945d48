/** The loop around a trainer, of which only the metrics are known: what it says, writes and keeps, and when. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { DeviceError, NotFiniteError, PupilError } from "../../../../../src/errors/index.js";
import { DiskError, replaceDisk } from "../../../../../src/node/files/disk.js";
import { createRunFolder } from "../../../../../src/node/runs/folder/run-folder.js";
import { emptyHistory } from "../../../../../src/node/runs/folder/run-history.js";
import {
  type LoopParts,
  numTrained,
  trainLoop,
} from "../../../../../src/node/runs/training/train-loop.js";
import type { StepMetrics } from "../../../../../src/trainers/index.js";
import { diskError } from "../../../../setup/runs/disk-calls.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const metricsOf = (step: number, more: object = {}): StepMetrics => ({
  ...{ step, loss: 1 / step, terms: {}, diagnostics: {}, gradNorm: 1, learningRate: 0.1 },
  ...{ tokens: 10, paddingShare: 0, onPolicyShare: 0, elapsedMs: 200, ...more },
});

/** A trainer of these steps; where one is an error, that is what happens. */
const trainer = (steps: readonly (object | Error)[]): LoopParts["train"] =>
  async function* (startStep) {
    for (const [i, step] of steps.entries()) {
      if (i < startStep) continue;
      if (step instanceof Error) throw step;
      yield metricsOf(i + 1, step);
    }
  };

const plain = (count: number) => Array.from({ length: count }, () => ({}));
const measured = (metrics: object = {}, more: object = {}) => ({
  ...{ metrics: metrics as Record<string, number>, completions: [], traces: [], correct: {} },
  ...more,
});

interface Looped {
  readonly path: string;
  /** The events in a word each, with their step. */
  readonly said: readonly string[];
  readonly error: PupilError | undefined;
  readonly summary: Record<string, unknown> | undefined;
  readonly rows: readonly Record<string, unknown>[];
  readonly checkpoints: readonly string[];
}

interface LoopOptions {
  readonly startStep?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (said: string, path: string) => void;
}

async function loop(changes: Partial<LoopParts>, options: LoopOptions = {}): Promise<Looped> {
  const path = join(temporaryFolder(), "run");
  const parts: LoopParts = {
    ...{ steps: 4, evaluateEvery: 0, checkpoint: { every: 0, keep: 9 }, lossStates: undefined },
    train: trainer(plain(changes.steps ?? 4)),
    files: async (step) => new Map([["state.txt", `${step}`]]),
    summary: { name: "run", parameters: 7, trainedParameters: 5 },
    ...changes,
  };
  const run = await createRunFolder(path, {});
  const said: string[] = [];
  let error: PupilError | undefined;
  const { startStep = 0, signal, onEvent } = options;
  try {
    const progress = { run, history: emptyHistory(), startStep, signal };
    for await (const event of trainLoop(parts, progress)) {
      const step =
        event.type === "step"
          ? event.metrics.step
          : event.type === "finished"
            ? event.summary.steps
            : "step" in event
              ? event.step
              : "";
      said.push(`${event.type} ${step}`.trim());
      onEvent?.(said.at(-1) as string, path);
    }
  } catch (thrown) {
    error = thrown as PupilError;
  } finally {
    await run.close();
  }
  const read = (name: string): string | undefined =>
    existsSync(join(path, name)) ? readFileSync(join(path, name), "utf8") : undefined;
  const lines = (read("metrics.jsonl") ?? "").split("\n").filter((line) => line !== "");
  const summary = read("summary.json");
  return {
    ...{ path, said, error },
    summary: summary === undefined ? undefined : (JSON.parse(summary) as Record<string, unknown>),
    rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    checkpoints: readdirSync(join(path, "checkpoints")).sort(),
  };
}

describe("when it measures and saves", () => {
  test("at the end alone, where nothing else is asked", async () => {
    const { said, checkpoints } = await loop({ evaluate: async () => measured() });
    const steps = ["step 1", "step 2", "step 3", "step 4"];
    expect(said).toEqual([...steps, "evaluation 4", "checkpoint 4", "finished 4"]);
    expect(checkpoints).toEqual(["step-4"]);
  });

  test("before the first step and every so many, each at its own pace", async () => {
    const { said } = await loop({
      ...{ steps: 5, evaluateEvery: 2, checkpoint: { every: 3, keep: 9 } },
      evaluate: async () => measured(),
    });
    expect(said).toEqual([
      ...["evaluation 0", "step 1", "step 2", "evaluation 2", "step 3", "checkpoint 3"],
      ...["step 4", "evaluation 4", "step 5", "evaluation 5", "checkpoint 5", "finished 5"],
    ]);
  });

  test("nothing where there is nothing to measure", async () => {
    const { said, rows } = await loop({ steps: 1, evaluateEvery: 1 });
    expect(said).toEqual(["step 1", "checkpoint 1", "finished 1"]);
    expect(rows.map(({ type }) => type)).toEqual(["step", "checkpoint"]);
  });

  test("a run that goes on measures no step again that it has measured", async () => {
    const { said } = await loop(
      { steps: 2, evaluateEvery: 1, evaluate: async () => measured() },
      { startStep: 2 },
    );
    // Nobody had measured step 2 here; a history that says so leaves it out, see run-log.test.ts.
    expect(said).toEqual(["evaluation 2", "finished 2"]);
  });

  test("the last checkpoints are kept, as many as are asked for", async () => {
    for (const [keep, kept] of [
      [1, ["step-5"]],
      [2, ["step-4", "step-5"]],
      [9, ["step-1", "step-2", "step-3", "step-4", "step-5"]],
    ] as const) {
      const { checkpoints } = await loop({ steps: 5, checkpoint: { every: 1, keep } });
      expect(checkpoints, String(keep)).toEqual(kept);
    }
  });
});

describe("what it writes", () => {
  test("rows of each kind, with what the trainer and the evaluation gave", async () => {
    const { path, rows } = await loop({
      steps: 1,
      evaluate: async () =>
        measured(
          { "heldOut.loss": 2 },
          {
            completions: [{ set: "heldOut", prompt: "p", completion: "c" }],
            traces: [{ version: 1, set: "heldOut", prompt: "p", tokens: [] }],
            correct: { heldOut: [true, false] },
          },
        ),
    });
    expect(rows).toMatchObject([
      { type: "step", step: 1, loss: 1, tokens: 10, learningRate: 0.1 },
      { type: "evaluation", step: 1, "heldOut.loss": 2 },
      { type: "checkpoint", step: 1, path: "checkpoints/step-1" },
    ]);
    const read = (name: string) => JSON.parse(readFileSync(join(path, name), "utf8")) as unknown;
    expect(read("completions.jsonl")).toEqual({
      ...{ step: 1, set: "heldOut", prompt: "p", completion: "c" },
    });
    expect(read("traces.jsonl")).toEqual({
      ...{ version: 1, step: 1, set: "heldOut", prompt: "p", tokens: [] },
    });
    expect(read("problems.json")).toEqual({ heldOut: [true, false] });
  });

  test("no note of problems where nothing is verified", async () => {
    const { path } = await loop({ steps: 1, evaluate: async () => measured() });
    expect(readdirSync(path).sort()).toEqual([
      ...["checkpoints", "config.json", "metrics.jsonl", "summary.json"],
    ]);
  });

  test("a summary of all that was done", async () => {
    let value = 4;
    const cost = { studentTokens: 1, studentForwards: 2, teacherTokens: 3, teacherForwards: 4 };
    const data = { trainingRows: 3 } as never;
    const { summary, path } = await loop({
      ...{ steps: 2, evaluateEvery: 1, train: trainer([{ cost }, { cost, tokens: 30 }]) },
      evaluate: async () => measured({ "heldOut.loss": value-- }),
      summary: { name: "mine", parameters: 7, trainedParameters: 5, data },
    });
    expect(summary).toEqual({
      ...{ name: "mine", parameters: 7, trainedParameters: 5, steps: 2 },
      ...{ initial: { "heldOut.loss": 4 }, final: { "heldOut.loss": 2 }, diverged: false },
      ...{ tokens: 40, tokensPerSecond: 100, elapsedSeconds: 0.4 },
      cost: { studentTokens: 2, studentForwards: 4, teacherTokens: 6, teacherForwards: 8 },
      checkpoint: join(path, "checkpoints/step-2"),
      data: { trainingRows: 3 },
    });
  });

  test("a summary without what was not: no evaluation, no time, no data", async () => {
    const { summary } = await loop({ steps: 1, train: trainer([{ elapsedMs: 0 }]) });
    expect(summary).toMatchObject({ final: {}, tokensPerSecond: 0, elapsedSeconds: 0 });
    expect(summary).not.toHaveProperty("initial");
    expect(summary).not.toHaveProperty("data");
  });

  test("a checkpoint of the step, with what the losses remember by then", async () => {
    const asked: unknown[] = [];
    const before = { taid: { alpha: 1 } };
    const { path } = await loop({
      ...{ steps: 2, checkpoint: { every: 1, keep: 9 }, lossStates: before },
      train: trainer([{ lossStates: { taid: { alpha: 2 } } }, {}]),
      files: async (step, states) => {
        asked.push([step, states]);
        return new Map([["state.txt", `${step}`]]);
      },
    });
    expect(asked).toEqual([
      [1, { taid: { alpha: 2 } }],
      [2, undefined],
    ]);
    const checkpoint = join(path, "checkpoints/step-2");
    expect(readdirSync(checkpoint).sort()).toEqual(["complete.json", "state.txt"]);
    expect(readFileSync(join(checkpoint, "state.txt"), "utf8")).toBe("2");
  });

  test("warnings behind what they are about, as events and as rows", async () => {
    const { said, rows, summary } = await loop({
      ...{ steps: 2, evaluateEvery: 1, train: trainer(plain(2)) },
      evaluate: (() => {
        let loss = 1;
        return async () => measured({ "heldOut.loss": (loss *= 100) });
      })(),
    });
    expect(said).toEqual([
      ...["evaluation 0", "step 1", "evaluation 1", "warning", "step 2", "evaluation 2"],
      ...["checkpoint 2", "finished 2"],
    ]);
    expect(rows.filter(({ type }) => type === "warning")).toMatchObject([
      { step: 1, warning: "evaluation-diverges" },
    ]);
    expect(summary).toMatchObject({ diverged: true });
  });
});

describe("someone wants it to end", () => {
  test("after the step that is being made, with a checkpoint and without a summary", async () => {
    const stop = new AbortController();
    const { said, summary, checkpoints } = await loop(
      { steps: 4, evaluate: async () => measured() },
      { signal: stop.signal, onEvent: (event) => event === "step 2" && stop.abort() },
    );
    expect(said).toEqual(["step 1", "step 2", "checkpoint 2", "finished 2"]);
    expect([summary, checkpoints]).toEqual([undefined, ["step-2"]]);
  });

  test("before it began: no step is made", async () => {
    const { said, checkpoints } = await loop({ steps: 4 }, { signal: AbortSignal.abort() });
    expect([said, checkpoints]).toEqual([["finished 0"], []]);
  });

  test("in the middle of a batch of rollouts: at the end of that", async () => {
    const stop = new AbortController();
    const mid = { isMidRollout: true };
    const { said, rows } = await loop(
      { steps: 6, train: trainer([mid, mid, {}, mid, mid, {}]), checkpoint: { every: 1, keep: 9 } },
      { signal: stop.signal, onEvent: (event) => event === "step 1" && stop.abort() },
    );
    expect(said).toEqual(["step 1", "step 2", "step 3", "checkpoint 3", "finished 3"]);
    const flags = rows.filter(({ type }) => type === "step").map((row) => row["isMidRollout"]);
    expect(flags).toEqual([true, true, undefined]);
  });

  test("a checkpoint that was due within a batch of rollouts is made behind it, once", async () => {
    const mid = { isMidRollout: true };
    const { said } = await loop({
      ...{ steps: 6, checkpoint: { every: 4, keep: 9 } },
      train: trainer([mid, {}, {}, mid, {}, {}]),
    });
    expect(said).toEqual([
      ...["step 1", "step 2", "step 3", "step 4", "step 5", "checkpoint 5", "step 6"],
      ...["checkpoint 6", "finished 6"],
    ]);
  });
});

describe("it cannot go on", () => {
  const broken = new PupilError("The teacher is gone.", { field: "teacher" });
  const failing = (error: Error, from = 3) => trainer([...plain(from - 1), error]);

  test("for a user's error: it saves the steps that are done, and says what is left", async () => {
    const { said, error, checkpoints, path, summary } = await loop({ train: failing(broken) });
    expect(said).toEqual(["step 1", "step 2", "checkpoint 2"]);
    expect(checkpoints).toEqual(["step-2"]);
    expect(summary).toBeUndefined();
    expect(error).toMatchObject({
      message: `step 3: teacher: The teacher is gone. The last good checkpoint is ${join(path, "checkpoints/step-2")}; resume=${path} continues from there.`,
      cause: broken,
    });
    expect(error).toBeInstanceOf(PupilError);
  });

  test("at once: nothing was saved, which is said", async () => {
    const { said, error } = await loop({ train: failing(broken, 1) });
    expect(said).toEqual([]);
    expect(error?.message).toBe(
      "step 1: teacher: The teacher is gone. No checkpoint had been written.",
    );
  });

  test("behind a checkpoint: it is not written again, and where it is gone that is said", async () => {
    const parts = { checkpoint: { every: 2, keep: 9 }, train: failing(broken) };
    const there = await loop(parts);
    expect(there.said).toEqual(["step 1", "step 2", "checkpoint 2"]);
    const gone = await loop(parts, {
      onEvent: (event, path) => {
        const checkpoint = join(path, "checkpoints/step-2");
        if (event === "checkpoint 2") rmSync(checkpoint, { recursive: true });
      },
    });
    expect(gone.error?.message).toBe(
      `step 3: teacher: The teacher is gone. The last checkpoint, ${join(gone.path, "checkpoints/step-2")}, is gone too.`,
    );
  });

  test("where it went on from a checkpoint, that is the last one", async () => {
    for (const step of [1, 2]) {
      const options = { startStep: step };
      const { said, error, path } = await loop({ train: failing(broken, step + 1) }, options);
      expect(said).toEqual([]);
      const checkpoint = join(path, `checkpoints/step-${step}`);
      expect(error?.message).toContain(`The last checkpoint, ${checkpoint}`);
    }
  });

  test("in the middle of a batch of rollouts there is nothing to go on from", async () => {
    const { said } = await loop({ train: trainer([{}, { isMidRollout: true }, broken]) });
    expect(said).toEqual(["step 1", "step 2"]);
  });

  test.each([
    new NotFiniteError("The loss is NaN."),
    new DeviceError("The device is lost."),
    new DiskError("The disk is full."),
    new Error("a mistake"),
  ])("for what may have harmed the student, nothing is saved: %s", async (harm) => {
    const { said, error, checkpoints } = await loop({ train: failing(harm) });
    expect([said, checkpoints]).toEqual([["step 1", "step 2"], []]);
    if (harm instanceof PupilError) {
      expect(error?.message).toBe(`step 3: ${harm.message} No checkpoint had been written.`);
    } else expect(error).toBe(harm);
  });

  test("and cannot save either: both are said", async () => {
    const { error } = await loop({
      train: failing(broken),
      files: () => Promise.reject(new PupilError("It cannot be read.")),
    });
    expect(error?.message).toBe(
      "step 3: teacher: The teacher is gone. It could not be saved: It cannot be read. No checkpoint had been written.",
    );
    const mistake = new Error("a mistake");
    const other = await loop({ train: failing(broken), files: () => Promise.reject(mistake) });
    expect(other.error).toBe(mistake);
  });

  test("and old checkpoints that cannot be removed are an error of the disk", async () => {
    const putBack = replaceDisk((real) => ({
      ...real,
      rename: async (from, to) => {
        if (to.includes("removed")) throw diskError("EIO");
        await real.rename(from, to);
      },
    }));
    onTestFinished(putBack);
    const { error, checkpoints } = await loop({ checkpoint: { every: 1, keep: 1 } });
    expect(error?.message).toMatch(
      /^step 3: .*step-1: cannot be written.*The last good checkpoint/,
    );
    expect(checkpoints).toEqual(["step-1", "step-2"]);
  });
});

test("what is trained is counted by its size", () => {
  const model = {
    trainableParameters: () =>
      new Map([...[2, 3].entries()].map(([i, size]) => [`${i}`, { size }])),
  };
  expect(numTrained(model as never)).toBe(5);
});
