import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { byteTokenizer } from "../../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../../src/models/index.js";
import {
  type RunEvent,
  runLoop,
  type RunLoopOptions,
  versions,
} from "../../../../../src/node/index.js";
import { lockRun } from "../../../../../src/node/runs/folder/run-lock.js";
import { adamwSchema } from "../../../../../src/optim/index.js";
import { Random } from "../../../../../src/tensors/index.js";
import { sft } from "../../../../../src/trainers/index.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const tokenizer = byteTokenizer();
const random = new Random(3);
const config = modelConfigSchema.parse({
  ...{ family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 8 },
  vocabSize: tokenizer.vocabSize,
});
const data = {
  rows: (step: number, count: number) =>
    Array.from({ length: count }, (_, row) => {
      const byte = random.stream("row", step, row).integer(200);
      return { ids: [byte, byte + 1, byte + 2], completionStart: 1 };
    }),
  promptOf: ({ ids }: { ids: readonly number[] }) => ids.slice(0, 1),
};

function loopIn(path: string, changes: Partial<RunLoopOptions> = {}) {
  return runLoop({
    ...{ path, tokenizer, steps: 4, settings: { seed: 3 } },
    student: () => initializeDecoder(config, random.stream("student")),
    train: (run) => sft({ ...run, data, tokenizer, steps: 4, batchSize: 2 }),
    evaluate: async ({ student }) => ({ parameters: student.numParameters }),
    ...changes,
  });
}

async function eventsOf(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const weights = (path: string) => readFileSync(join(path, "checkpoints/step-4/model.safetensors"));

describe("a loop of one's own", () => {
  test("that was stopped continues exactly, with one log", async () => {
    const [whole, stopped] = [join(temporaryFolder(), "run"), join(temporaryFolder(), "run")];
    await eventsOf(loopIn(whole));

    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of loopIn(stopped, { signal: stop.signal })) {
      seen.push(event.type);
      if (event.type === "step" && event.metrics.step === 2) stop.abort();
    }
    expect(seen).toEqual(["started", "step", "step", "checkpoint", "finished"]);
    expect(readdirSync(join(stopped, "checkpoints"))).toEqual(["step-2"]);

    const events = await eventsOf(loopIn(stopped));
    expect(events[0]).toMatchObject({ type: "resumed", step: 2 });
    expect(events.at(-1)).toMatchObject({ type: "finished", stopped: false });
    expect(weights(stopped)).toEqual(weights(whole));
    const rows = readFileSync(join(stopped, "metrics.jsonl"), "utf8").trim().split("\n");
    const steps = rows.map((row) => JSON.parse(row) as { type: string; step: number });
    expect(steps.filter(({ type }) => type === "step").map(({ step }) => step)).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test("that is done does nothing when it is called again", async () => {
    const path = join(temporaryFolder(), "run");
    await eventsOf(loopIn(path));
    const before = weights(path);
    const types = (await eventsOf(loopIn(path))).map(({ type }) => type);
    expect(types).toEqual(["resumed", "finished"]);
    expect(weights(path)).toEqual(before);
  });

  test("refuses other settings than it began with", async () => {
    const path = join(temporaryFolder(), "run");
    await eventsOf(loopIn(path));
    const other = eventsOf(loopIn(path, { settings: { seed: 4 } }));
    await expect(other).rejects.toThrow(/The run began with another seed\. Leave the settings/);
  });

  test("goes on under settings that JSON has no number for", async () => {
    const path = join(temporaryFolder(), "run");
    const settings = { maxGradNorm: Infinity, least: -Infinity, unknown: NaN };
    await eventsOf(loopIn(path, { settings }));
    const [resumed] = await eventsOf(loopIn(path, { settings }));
    expect(resumed).toMatchObject({ type: "resumed", step: 4 });
    const other = eventsOf(loopIn(path, { settings: { ...settings, maxGradNorm: 1 } }));
    await expect(other).rejects.toThrow(/another maxGradNorm/);
  });

  test("goes on with losses that remember what is not finite", async () => {
    const path = join(temporaryFolder(), "run");
    const seen: unknown[] = [];
    const train: RunLoopOptions["train"] = async function* (run) {
      seen.push(run.lossStates);
      for await (const metrics of sft({ ...run, data, tokenizer, steps: 4, batchSize: 2 })) {
        yield { ...metrics, lossStates: { own: { least: Infinity, most: -Infinity, mean: NaN } } };
        if (metrics.step === 2 && run.startStep === 0) return;
      }
    };
    await eventsOf(loopIn(path, { train, checkpointEvery: 2 }));
    const [resumed] = await eventsOf(loopIn(path, { train, checkpointEvery: 2 }));
    expect(resumed).toMatchObject({ type: "resumed", step: 2, notes: [] });
    expect(seen).toEqual([undefined, { own: { least: Infinity, most: -Infinity, mean: NaN } }]);
  });

  test("logs no evaluation where nothing is measured", async () => {
    const path = join(temporaryFolder(), "run");
    const events = await eventsOf(
      runLoop({
        ...{ path, tokenizer, steps: 1, settings: {} },
        student: () => initializeDecoder(config, random.stream("student")),
        train: (run) => sft({ ...run, data, tokenizer, steps: 1, batchSize: 2 }),
      }),
    );
    expect(events.map(({ type }) => type)).toEqual(["started", "step", "checkpoint", "finished"]);
  });
});

describe("how a loop of one's own is run", () => {
  const typesOf = async (path: string, changes: Partial<RunLoopOptions>) =>
    (await eventsOf(loopIn(path, changes))).map((event) =>
      "step" in event ? `${event.type} ${event.step}` : event.type,
    );

  test("measures and saves as often as it is asked, and keeps as many as it is asked", async () => {
    const path = join(temporaryFolder(), "run");
    const often = { evaluateEvery: 2, checkpointEvery: 1, keep: 3 };
    expect(await typesOf(path, often)).toEqual([
      ...["started", "evaluation 0", "step", "checkpoint 1", "step", "evaluation 2"],
      ...["checkpoint 2", "step", "checkpoint 3", "step", "evaluation 4", "checkpoint 4"],
      "finished",
    ]);
    const kept = (folder: string) => readdirSync(join(folder, "checkpoints")).sort();
    expect(kept(path)).toEqual(["step-2", "step-3", "step-4"]);
    const usual = join(temporaryFolder(), "run");
    await eventsOf(loopIn(usual, { checkpointEvery: 1 }));
    expect(kept(usual)).toEqual(["step-4"]);
  });

  test("writes its settings with the versions, a summary, and what it measured", async () => {
    const path = join(temporaryFolder(), "mine");
    await eventsOf(loopIn(path));
    const read = (name: string) =>
      JSON.parse(readFileSync(join(path, name), "utf8")) as Record<string, unknown>;
    expect(read("config.json")).toEqual({ seed: 3, versions: versions() });
    using student = initializeDecoder(config, random.stream("student"));
    const { numParameters } = student;
    expect(read("summary.json")).toMatchObject({
      ...{ name: "mine", steps: 4, parameters: numParameters, trainedParameters: numParameters },
      ...{ final: { parameters: numParameters }, diverged: false },
    });
    expect(readdirSync(join(path, "checkpoints/step-4")).sort()).toEqual([
      ...["complete.json", "config.json", "model.safetensors"],
      ...["optimizer.safetensors", "tokenizer.json", "tokenizer_config.json", "trainer-state.json"],
    ]);
  });

  test("trains by the optimizer that it is given", async () => {
    const [usual, other] = [join(temporaryFolder(), "run"), join(temporaryFolder(), "run")];
    await eventsOf(loopIn(usual));
    await eventsOf(loopIn(other, { optimizer: adamwSchema.parse({ beta1: 0.5 }) }));
    expect(weights(other)).not.toEqual(weights(usual));
  });

  test("says what of its checkpoint is another's: the executor, a broken one, a lock", async () => {
    const path = join(temporaryFolder(), "run");
    await eventsOf(loopIn(path, { checkpointEvery: 2, keep: 2 }));
    const stateFile = join(path, "checkpoints/step-4/trainer-state.json");
    const text = readFileSync(stateFile, "utf8").replace('"cpu"', '"wasm: SIMD"');
    writeFileSync(stateFile, text);
    rmSync(join(path, "checkpoints/step-4/complete.json"));
    const [resumed] = await eventsOf(loopIn(path, { keep: 2 }));
    expect(resumed).toMatchObject({
      ...{ type: "resumed", path, step: 4 },
      notes: [
        expect.stringContaining("step 4 has no mark"),
        expect.stringContaining("written on wasm: SIMD and is continued on cpu"),
      ],
    });
    rmSync(join(path, "checkpoints/step-4/model.safetensors"));
    const [again] = await eventsOf(loopIn(path));
    expect(again).toMatchObject({ step: 2 });
    const lock = await lockRun(path);
    await expect(eventsOf(loopIn(path))).rejects.toThrow(/is training in this run folder/);
    await lock.release();
  });

  test("lets its folder go where it cannot begin, and where it is left", async () => {
    const path = join(temporaryFolder(), "run");
    const student = () => Promise.reject(new Error("no student"));
    await expect(eventsOf(loopIn(path, { student }))).rejects.toThrow("no student");
    expect(existsSync(join(path, "run.lock"))).toBe(false);
    const left = join(temporaryFolder(), "run");
    for await (const event of loopIn(left)) if (event.type === "step") break;
    expect(existsSync(join(left, "run.lock"))).toBe(false);
    // A run that was left before its first checkpoint begins again.
    const types = await typesOf(left, {});
    expect(types[0]).toBe("resumed 0");
    expect(types.filter((type) => type === "step")).toHaveLength(4);
    const rows = readFileSync(join(left, "metrics.jsonl"), "utf8").trim().split("\n");
    expect(rows.map((row) => (JSON.parse(row) as { type: string }).type)).toEqual([
      ...["resume", "step", "step", "step", "step", "evaluation", "checkpoint"],
    ]);
  });
});
