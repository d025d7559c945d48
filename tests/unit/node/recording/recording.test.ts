import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { parseConfig, type RunConfig, recordOptionsSchema } from "../../../../src/config/index.js";
import {
  byteTokenizer,
  makeBatch,
  type Tokenizer,
  type TokenSequence,
} from "../../../../src/data/index.js";
import {
  loadModelFolder,
  openRecording,
  type RecordEvent,
  recordTeacher,
  resolveRecording,
  saveModelFolder,
} from "../../../../src/node/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { selectedLogProbs } from "../../../../src/ops/index.js";
import {
  decodeRow,
  decodeShardTable,
  encodeRow,
  encodeShard,
  modelTeacher,
  type RecordedRow,
  recordedTeacher,
  type LogProbsManifest,
  type RecordingManifest,
  logProbLayout,
  type TeacherTensors,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { metricsOf, runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

const problems = Array.from({ length: 21 }, (_, i) => ({
  prompt: `${i % 10}+${(3 * i) % 7}=`,
  completion: String((i % 10) + ((3 * i) % 7)),
}));

/** A run on 21 rows of JSONL, 18 of them to train on, with an untrained teacher. */
async function jsonlRun(folder: string, teacher: object, changes: object = {}): Promise<RunConfig> {
  const path = join(folder, "train.jsonl");
  if (!existsSync(path)) {
    writeFileSync(path, problems.map((row) => JSON.stringify(row)).join("\n"));
  }
  return tinyRun(join(folder, "runs"), {
    data: { type: "jsonl", path },
    teacher,
    trainer: {
      type: "distill",
      steps: 6,
      batchSize: 4,
      onPolicyFraction: 0,
      loss: [{ type: "sparse-kl" }],
    },
    evaluation: { every: 0, rows: 3 },
    ...changes,
  });
}

/** The first three problems as the runs tokenize them. */
function rowsOf(tokenizer: Tokenizer): TokenSequence[] {
  return problems.slice(0, 3).map(({ prompt, completion }) => {
    const end = tokenizer.endIds[0] as number;
    return {
      ids: [...tokenizer.encode(prompt + completion), end],
      completionStart: prompt.length,
    };
  });
}

/** The keys of all rows of a recording. */
function keysOf(output: string): string[] {
  const shards = readdirSync(output).filter((name) => name.endsWith(".bin"));
  return shards.flatMap((name) => {
    const bytes = readFileSync(join(output, name));
    return decodeShardTable(bytes, bytes.length, name).entries.map(({ key }) => key);
  });
}

async function record(config: RunConfig, options: object): Promise<RecordEvent[]> {
  const events: RecordEvent[] = [];
  const parsed = parseConfig(recordOptionsSchema, options, "options");
  for await (const event of recordTeacher(config, parsed)) events.push(event);
  return events;
}

const manifestOf = (events: readonly RecordEvent[]): RecordingManifest => {
  const last = events.at(-1);
  if (last?.type !== "finished") throw new Error("The recording did not finish.");
  return last.manifest;
};

async function setUp(teacherOptions: object = { topK: 5 }, options: object = {}) {
  const folder = temporaryFolder();
  const from = await saveTinyTeacher(folder);
  const config = await jsonlRun(folder, { from, ...teacherOptions });
  const output = join(folder, "recording");
  const events = await record(config, { output, shardRows: 8, ...options });
  return { folder, from, config, output, events };
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "nothing was thrown",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("a run that learns from a recording", () => {
  test.each([
    ["float32", 2e-6, true],
    ["float16", 2e-4, false],
  ])("in %s has the losses of the teacher itself to %d (packed: %s)", async (...given) => {
    const [dtype, tolerance, packing] = given;
    const { folder, config, output } = await setUp({ topK: 5 }, { dtype });
    const trainer = { ...config.trainer, packing };
    const teacher = { type: "recorded", from: output };
    const recorded = await jsonlRun(folder, teacher, { trainer, name: "second" });
    await runToEnd({ ...config, trainer } as RunConfig);
    await runToEnd(recorded);
    const [own, others] = [metricsOf(config), metricsOf(recorded)];
    expect(others).toHaveLength(own.length);
    const losses = own.map((row) => row["loss"]).filter((loss) => loss !== undefined) as number[];
    expect(losses).toHaveLength(6);
    for (const [i, loss] of losses.entries()) {
      expect(loss).toBeGreaterThan(0.05);
      expect(Math.abs((others[i]?.["loss"] as number) - loss)).toBeLessThan(tolerance);
    }
  });

  test("of draws trains on them", async () => {
    const { folder, output } = await setUp({ samples: 6, sampleTemperature: 2 });
    const trainer = { type: "distill", steps: 2, batchSize: 4, onPolicyFraction: 0 };
    const changes = { trainer: { ...trainer, loss: [{ type: "sampled-kl" }] }, name: "draws" };
    const teacher = { type: "recorded", from: output, samples: 6 };
    await runToEnd(await jsonlRun(folder, teacher, changes));
  });
});

describe("what a recording says", () => {
  test("is what the teacher says, at learned positions", async () => {
    const { from, output } = await setUp({ topK: 5 }, { dtype: "float32" });
    const { model, tokenizer } = await loadModelFolder(from);
    using teacher = modelTeacher(model, "own", { topK: 5 });
    using recorded = recordedTeacher(await openRecording(output));
    const rows = rowsOf(tokenizer);
    expect(rows.every((row) => recorded.knows?.(row))).toBe(true);
    expect(recorded.knows?.({ ...(rows[0] as TokenSequence), completionStart: 1 })).toBe(false);
    using batch = makeBatch(rows, 0);
    const needs = ["teacherTokenLogProbs", "teacherTokenIds", "teacherTopLogProbs"] as const;
    const [own, stored] = await Promise.all([
      teacher.score(batch, needs),
      recorded.score(batch, needs),
    ]);
    const differences = tf.tidy(() => {
      const [a, b] = [own.tensors(), stored.tensors()] as [TeacherTensors, TeacherTensors];
      return needs.map((name) => {
        const difference = a[name].sub(b[name]).abs();
        const mask =
          difference.rank === 3 ? batch.completionMask.expandDims(2) : batch.completionMask;
        return difference.mul(mask).max().dataSync()[0];
      });
    });
    for (const difference of differences) expect(difference).toBeLessThan(2e-6);
  });

  test("of draws gives their log-probabilities under teacher and proposal", async () => {
    const { from, output } = await setUp(
      { samples: 6, sampleTemperature: 2 },
      { dtype: "float32" },
    );
    const recording = await openRecording(output);
    expect(recording.manifest).toMatchObject({ tokens: "draws", k: 6, sampleTemperature: 2 });
    const { model, tokenizer } = await loadModelFolder(from);
    using recorded = recordedTeacher(recording);
    using batch = makeBatch(rowsOf(tokenizer), 0);
    const scores = await recorded.score(batch, recorded.provides);
    const differences = tf.tidy(() => {
      const logits = model.forward(batch);
      const { teacherTokenIds, teacherTopLogProbs, teacherSampleLogProbs } =
        scores.tensors() as TeacherTensors;
      const mask = batch.completionMask.expandDims(2);
      const distance = (given: tf.Tensor, temperature: number) =>
        selectedLogProbs(logits, teacherTokenIds, { temperature })
          .sub(given)
          .abs()
          .mul(mask)
          .max()
          .dataSync()[0];
      return [distance(teacherTopLogProbs, 1), distance(teacherSampleLogProbs, 2)];
    });
    model.dispose();
    for (const difference of differences) expect(difference).toBeLessThan(2e-6);
  });

  test("is of another teacher where options decide beside the files", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "counts.txt");
    writeFileSync(path, "0+1=12+3=54+5=96+7=38+9=7");
    const hashes: string[] = [];
    for (const order of [2, 3]) {
      const member = { type: "n-gram", path, order };
      for (const teacher of [
        { ...member, topK: 2 },
        { type: "mixture", topK: 2, teachers: [{ ...member, weight: 1 }, member] },
        { type: "mixture", topK: 2, teachers: [{ ...member, weight: 3 }, member] },
      ]) {
        const output = join(folder, `recording-${hashes.length}`);
        const options = { output, rows: 1, heldOut: false };
        const events = await record(await jsonlRun(folder, teacher), options);
        hashes.push(manifestOf(events).teacher.hash);
      }
    }
    expect(new Set(hashes).size).toBe(6);
  });

  test("is described in its manifest, with hashes of teacher and tokenizer", async () => {
    const { events, from } = await setUp();
    const manifest = manifestOf(events);
    expect(manifest).toMatchObject({
      formatVersion: 1,
      complete: true,
      k: 5,
      tokens: "likeliest",
      dtype: "float16",
      vocabSize: 17,
      maxPositions: 32,
      teacher: { name: from, hashOf: "weights" },
      source: { data: { type: "jsonl" }, heldOut: true, generate: false },
    });
    expect(manifest.teacher.hash).toMatch(/^[0-9a-f]{64}$/);
    const { sourceRows, rows, repeated } = manifest.counts;
    expect(sourceRows).toBe(21);
    expect(rows + repeated).toBe(21);
    expect(manifest.shards).toHaveLength(3);
  });
});

describe("an interrupted recording", () => {
  test("goes on where it stopped and is the same in the end", async () => {
    const { config, output, events } = await setUp();
    const names = readdirSync(output).sort();
    const contents = () => names.map((name) => readFileSync(join(output, name)).toString("hex"));
    const whole = contents();
    const manifest = { ...manifestOf(events), complete: false };
    writeFileSync(join(output, "manifest.json"), JSON.stringify(manifest));
    rmSync(join(output, "shard-00002.bin"));
    truncateSync(join(output, "shard-00000.bin"), 300);
    expect(await errorOf(openRecording(output))).toMatch(/was interrupted .*Run the same/);
    const again = await record(config, { output, shardRows: 8 });
    const kept = again.flatMap((event) => (event.type === "shard" ? [event.kept] : []));
    expect(kept).toEqual([false, true, false]);
    expect(contents()).toEqual(whole);
  });

  test("is not continued as another one", async () => {
    const { folder, from, config, output } = await setUp();
    expect(await errorOf(record(config, { output, shardRows: 8, dtype: "float32" }))).toMatch(
      /output: The folder holds another recording: dtype, source\.dtype differ\./,
    );
    const other = await jsonlRun(folder, { from, topK: 4 });
    expect(await errorOf(record(other, { output, shardRows: 8 }))).toMatch(
      /another recording: teacher\.config\.topK, k differ/,
    );
    await saveTinyTeacher(folder, { seed: 10 });
    expect(await errorOf(record(config, { output, shardRows: 8 }))).toMatch(/teacher\.hash differ/);
  });
});

describe("completions that the teacher writes", () => {
  test("are rows that a run can train on exactly", async () => {
    const { folder, events, output } = await setUp(
      { topK: 5 },
      { generate: true, maxNewTokens: 12, heldOut: false },
    );
    const { counts } = manifestOf(events);
    const rows = readFileSync(join(output, "rows.jsonl"), "utf8").trim().split("\n");
    expect(counts.unfinished).toBeGreaterThan(0);
    expect(counts.unfinished).toBeLessThan(18);
    expect(rows).toHaveLength(18);
    const cut = rows.filter((row) => row.includes('"finish_reason":"length"'));
    expect(cut).toHaveLength(counts.unfinished);
    const first = JSON.parse(rows[0] as string) as { prompt: string; completion: string };
    expect(problems.map(({ prompt }) => prompt)).toContain(first.prompt);
    const data = { type: "jsonl", path: join(output, "rows.jsonl") };
    const teacher = { type: "recorded", from: output };
    await runToEnd(await jsonlRun(folder, teacher, { data, name: "written" }));
    expect(readdirSync(output).filter((name) => name.endsWith(".jsonl"))).toEqual(["rows.jsonl"]);
  });

  test("are kept where all of them were cut off, without an end to learn", async () => {
    const { folder, output } = await setUp(
      { topK: 5 },
      { generate: true, maxNewTokens: 1, heldOut: false },
    );
    const data = { type: "jsonl", path: join(output, "rows.jsonl") };
    const teacher = { type: "recorded", from: output };
    const again = await runToEnd(await jsonlRun(folder, teacher, { data, name: "cut" }));
    const notes = again.flatMap((event) => (event.type === "started" ? event.notes : []));
    // A token of each row and no end; rows whose only token has no text are left out.
    expect(notes.join("\n")).toMatch(/: (\d\d) rows, \1 kept with \d+ tokens \(\1 learned\)/);
  });

  test("are cut to the context where bytes that are no text become more tokens", async () => {
    const folder = temporaryFolder();
    const tokenizer = byteTokenizer();
    const config = modelConfigSchema.parse({
      ...{ family: "llama", vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1 },
      ...{ numHeads: 2, maxPositions: 12, initializerRange: 0.5 },
    });
    using model = initializeDecoder(config, new Random(4));
    await saveModelFolder(join(folder, "bytes"), model, tokenizer);
    const run = await jsonlRun(folder, { from: join(folder, "bytes"), topK: 3 });
    const output = join(folder, "recording");
    const events = await record(run, { output, generate: true, maxNewTokens: 20, heldOut: false });
    expect(events[0]?.type === "started" && events[0].notes.join("\n")).toMatch(
      /context of 12 tokens the longest prompt takes \d, which leaves \d of the 20 new tokens/,
    );
    const { counts } = manifestOf(events);
    expect(counts.rows).toBeGreaterThan(10);
    const recording = await openRecording(output);
    const stored = await recording.read(keysOf(output));
    expect(Math.max(...stored.map(({ ids }) => ids.length))).toBe(13);
    const data = { type: "jsonl", path: join(output, "rows.jsonl") };
    const student = { from: join(folder, "bytes") };
    const changes = { data, student, name: "again" };
    await runToEnd(await jsonlRun(folder, { type: "recorded", from: output }, changes));
  });

  test("of a task are as many as asked for", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const data = { type: "task", task: { type: "addition", maxDigits: 1, style: "direct" } };
    const changes = {
      data,
      student: { architecture: { hiddenSize: 8, numLayers: 1, numHeads: 2 } },
    };
    const config = await jsonlRun(folder, { from, topK: 3 }, { data: changes.data });
    const output = join(folder, "recording");
    const events = await record(config, { output, rows: 30, heldOut: false });
    expect(manifestOf(events).counts.sourceRows).toBe(30);
    // A run of 24 rows is among them, a run of 32 is not.
    const recorded = await jsonlRun(folder, { type: "recorded", from: output }, { data });
    await runToEnd(recorded);
    const trainer = { ...recorded.trainer, steps: 200 };
    const longer = await jsonlRun(
      folder,
      { type: "recorded", from: output },
      { data, trainer, name: "longer" },
    );
    expect(await errorOf(runToEnd(longer))).toMatch(
      /teacher: ".*recording" does not have row \d+ of the run\. It lacks \d+ of the 800 rows that this run reads\. It was made from other data/,
    );
    expect(existsSync(join(folder, "runs", "longer"))).toBe(false);
  });
});

describe("a mistake is a clear error before the run starts", () => {
  /** One recording for all, copied, as only reading it matters. */
  let template: Promise<string> | undefined;
  async function makeTemplate(): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "pupil-test-"));
    const config = await jsonlRun(folder, { from: await saveTinyTeacher(folder), topK: 5 });
    await record(config, { output: join(folder, "recording"), shardRows: 8 });
    return folder;
  }
  afterAll(async () => {
    if (template !== undefined) rmSync(await template, { recursive: true });
  });
  async function copy() {
    template ??= makeTemplate();
    const folder = temporaryFolder();
    cpSync(await template, folder, { recursive: true });
    return { folder, output: join(folder, "recording") };
  }

  async function refusal(
    change: (setting: { output: string; folder: string }) => object | undefined,
  ): Promise<string> {
    const { folder, output } = await copy();
    const { teacher = {}, ...changes } = (change({ output, folder }) ?? {}) as { teacher?: object };
    const config = await jsonlRun(
      folder,
      { type: "recorded", from: output, ...teacher },
      { name: "refused", ...changes },
    );
    const message = await errorOf(runToEnd(config));
    expect(existsSync(join(folder, "runs", "refused"))).toBe(false);
    return message;
  }
  const trainer = (changes: object) => ({
    trainer: { type: "distill", steps: 6, batchSize: 4, loss: [{ type: "sparse-kl" }], ...changes },
  });

  test("rows that the student writes", async () => {
    expect(await refusal(() => trainer({ onPolicyFraction: 0.5 }))).toMatch(
      /^PupilError: trainer\.onPolicyFraction: is 0\.5, but the teacher ".*" scores only the rows that were recorded, not what the student writes\. Set trainer\.onPolicyFraction to 0/,
    );
  });

  test("a loss on its logits", async () => {
    const loss = [{ type: "forward-kl" }];
    expect(await refusal(() => trainer({ onPolicyFraction: 0, loss }))).toMatch(
      /forward-kl needs teacherLogits, which the teacher ".*" cannot give\. .*Teachers that can: model/,
    );
  });

  test("another number of tokens, or draws in place of the likeliest", async () => {
    expect(await refusal(() => ({ teacher: { topK: 6 } }))).toMatch(
      /teacher\.topK: The recording has 5 likeliest tokens per position, the config wants 6/,
    );
    expect(await refusal(() => ({ teacher: { samples: 5 } }))).toMatch(
      /teacher\.samples: The recording has 5 likeliest tokens per position, the config wants 5 draws/,
    );
  });

  test("another teacher than meant", async () => {
    expect(await refusal(() => ({ teacher: { teacherHash: "abc" } }))).toMatch(
      /teacher\.teacherHash: The recording is of a teacher with hash [0-9a-f]{64}, the config wants abc/,
    );
  });

  test("another tokenizer", async () => {
    expect(await refusal(() => ({ tokenizer: { type: "byte" } }))).toMatch(
      /teacher: The teacher has another tokenizer \(17 ids\) than this run/,
    );
  });

  test("rows that were not recorded", async () => {
    const message = await refusal(({ folder }) => {
      const rows = [...problems.slice(0, 18), { prompt: "9+9=", completion: "18" }, ...problems];
      writeFileSync(join(folder, "train.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
      return trainer({ onPolicyFraction: 0, steps: 60 });
    });
    expect(message).toMatch(/does not have .*\. It lacks 1 of the 36 rows that this run reads/);
  });

  test("a truncated shard, a missing one, a changed table", async () => {
    expect(
      await refusal(({ output }) => {
        const path = join(output, "shard-00001.bin");
        truncateSync(path, statSync(path).size - 10);
        return undefined;
      }),
    ).toMatch(/shard-00001\.bin: The shard is damaged: it has \d+ bytes in place of \d+\. Restore/);
    expect(
      await refusal(({ output }) => {
        rmSync(join(output, "shard-00001.bin"));
        return undefined;
      }),
    ).toMatch(/shard-00001\.bin: A shard of the recording cannot be opened/);
    expect(
      await refusal(({ output }) => {
        const path = join(output, "shard-00001.bin");
        const bytes = readFileSync(path);
        bytes[50] = (bytes[50] as number) ^ 1;
        writeFileSync(path, bytes);
        return undefined;
      }),
    ).toMatch(/its table of rows does not match its checksum/);
  });

  test("a changed row, as soon as it is read", async () => {
    const { output } = await copy();
    const recording = await openRecording(output);
    const path = join(output, "shard-00000.bin");
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(path, bytes);
    const { entries } = decodeShardTable(bytes, bytes.length, path);
    const keys = entries.map(({ key }) => key);
    expect(await recording.read(keys.slice(0, -1))).toHaveLength(keys.length - 1);
    expect(await errorOf(recording.read(keys))).toMatch(
      /shard-00000\.bin: The shard is damaged: the row at byte \d+ does not match its checksum/,
    );
  });

  describe("a manifest and shards that contradict each other", () => {
    type Change = (manifest: RecordingManifest) => void;

    /** The error of opening a recording whose manifest was changed, and of reading all its rows. */
    async function lie(change: Change, prepare: (output: string) => void = () => undefined) {
      const { output } = await copy();
      prepare(output);
      const path = join(output, "manifest.json");
      const manifest = JSON.parse(readFileSync(path, "utf8")) as RecordingManifest;
      change(manifest);
      writeFileSync(path, JSON.stringify(manifest));
      return errorOf(readAll(output));
    }

    async function readAll(output: string) {
      const recording = await openRecording(output);
      return recording.read(keysOf(output));
    }

    /** One row of the first shard, encoded anew with right checksums. */
    function rewriteRow(output: string, change: (row: RecordedRow) => RecordedRow) {
      const path = join(output, "shard-00000.bin");
      const bytes = new Uint8Array(readFileSync(path));
      const { entries, size: _size, ...range } = decodeShardTable(bytes, bytes.length, path);
      const manifest = JSON.parse(readFileSync(join(output, "manifest.json"), "utf8")) as object;
      const layout = logProbLayout(manifest as LogProbsManifest);
      const rows = entries.map(({ key, offset, length }, i) => {
        const own = bytes.slice(offset, offset + length);
        return { key, bytes: i > 0 ? own : encodeRow(change(decodeRow(own, layout)), layout) };
      });
      writeFileSync(path, encodeShard(rows, range));
    }

    const cases: [string, Change, RegExp][] = [
      [
        "rows of a shard",
        ({ shards }) => Object.assign(shards[1] as object, { rows: 1 }),
        /shard-00001\.bin: The shard is not the one that the manifest lists: it has \d+ rows, not 1\. Restore/,
      ],
      [
        "bytes of a shard",
        ({ shards }) => Object.assign(shards[0] as object, { bytes: 7 }),
        /shard-00000\.bin: The shard is not the one .* it has \d+ bytes, not 7\./,
      ],
      [
        "the sum of rows",
        ({ counts }) => Object.assign(counts, { rows: 3 }),
        /manifest\.json: counts\.rows: counts 3 rows, its shards have \d+\./,
      ],
      [
        "the sum of tokens",
        ({ counts }) => Object.assign(counts, { tokens: 3 }),
        /manifest\.json: counts\.tokens: counts 3 tokens, its shards have \d+\./,
      ],
      [
        "the vocabulary",
        (manifest) => Object.assign(manifest, { vocabSize: 2 }),
        /shard-0000\d\.bin: The shard holds a row with ids that are not below 2\./,
      ],
    ];
    test.each(cases)("in %s", async (_what, change, message) => {
      expect(await lie(change)).toMatch(message);
    });

    test("in a row that two shards have", async () => {
      const message = await lie(
        ({ shards }) => Object.assign(shards[1] as object, { ...shards[0], file: shards[1]?.file }),
        (output) => cpSync(join(output, "shard-00000.bin"), join(output, "shard-00001.bin")),
      );
      expect(message).toMatch(
        /shard-00001\.bin: The row [0-9a-f]{16} is in .*shard-00000\.bin already\./,
      );
    });

    test.each([
      ["a log-probability above 0", 0.5, /a row with 0\.5 as a log-probability/],
      ["one that is no number", NaN, /a row with NaN as a log-probability/],
    ])("in %s, checksums and all", async (_what, value, message) => {
      const first = (row: RecordedRow): RecordedRow => ({
        ...row,
        positions: row.positions.map((position, i) =>
          i > 0 ? position : { ...position, tokenLogProb: value },
        ),
      });
      expect(
        await lie(
          () => undefined,
          (output) => rewriteRow(output, first),
        ),
      ).toMatch(message);
    });
  });

  test("another format version, no recording, an unfinished one", async () => {
    const manifest = (output: string, change: (text: string) => string) => {
      const path = join(output, "manifest.json");
      writeFileSync(path, change(readFileSync(path, "utf8")));
      return undefined;
    };
    expect(
      await refusal(({ output }) =>
        manifest(output, (text) => text.replace('"formatVersion": 1', '"formatVersion": 2')),
      ),
    ).toMatch(/manifest\.json: The recording has format version 2, this pupil reads version 1/);
    expect(await refusal(({ output }) => manifest(output, () => "{}"))).toMatch(
      /This is not the manifest of a recording/,
    );
    expect(
      await refusal(({ output }) => manifest(output, (t) => t.replace('"k": 5', '"k": "x"'))),
    ).toMatch(/The manifest is damaged: k /);
    expect(await refusal(({ folder }) => ({ teacher: { from: folder } }))).toMatch(
      /manifest\.json: The manifest of the recording does not exist/,
    );
  });
});

describe("a mistake in record-teacher", () => {
  test("is named: no folder, no teacher, a teacher without lists, one that is there already", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const config = await jsonlRun(folder, { from });
    const output = join(folder, "recording");
    expect(await errorOf(record(config, { output }))).toMatch(
      /needs teacherTokenIds, teacherTopLogProbs, which the teacher ".*" does not give\. Set teacher\.topK/,
    );
    const { teacher: _teacher, ...without } = config;
    const sft = { type: "sft", steps: 2 };
    expect(
      await errorOf(record(tinyRun(output, { ...without, trainer: sft }), { output })),
    ).toMatch(/teacher: Recording needs a teacher/);
    expect(existsSync(output)).toBe(false);
    const full = await jsonlRun(folder, { from, topK: 3 });
    expect(await errorOf(record(full, { output: folder }))).toMatch(
      /output: The folder is not empty and holds no recording/,
    );
  });

  test("tells its own options from those of the run", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const config = await jsonlRun(folder, { from });
    const path = join(folder, "run.json");
    writeFileSync(path, JSON.stringify(config));
    const words = ["output=rec", "rows=7", "teacher.topK=4", "sampling.greedy=true"];
    const resolved = await resolveRecording(path, words);
    expect(resolved.options).toMatchObject({ output: "rec", rows: 7, sampling: { greedy: true } });
    expect(resolved.config).toMatchObject({ teacher: { topK: 4 }, output: config.output });
    expect(await errorOf(resolveRecording(path, ["rows=7"]))).toMatch(/output: There is no folder/);
    expect(await errorOf(resolveRecording(path, ["output=r", "dtype=float8"]))).toMatch(
      /dtype is "float8"\. Did you mean "float16"/,
    );
    expect(await errorOf(resolveRecording(path, ["output=r", "row=7"]))).toMatch(
      /row is not a field/,
    );
  });
});
