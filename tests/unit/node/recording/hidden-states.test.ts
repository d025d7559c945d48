import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig, recordOptionsSchema, type RunConfig } from "../../../../src/config/index.js";
import { makeBatch, type TokenSequence } from "../../../../src/data/index.js";
import { initialLossStates, lossTerm, reverseKlLoss } from "../../../../src/losses/index.js";
import { initializeDecoder } from "../../../../src/models/index.js";
import {
  loadModelFolder,
  openHiddenStates,
  openRecording,
  type RecordEvent,
  recordTeacher,
  saveModelFolder,
} from "../../../../src/node/index.js";
import { readRecordedHead } from "../../../../src/node/models/model-head.js";
import {
  hiddenStatesTeacher,
  modelTeacher,
  recordedStates,
  type Teacher,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { computeGradients } from "../../../../src/trainers/step/step.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { hiddenStatesServer } from "../../../setup/servers/hidden-states-server.js";
import { metricsOf, runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../setup/models/tiny-teacher.js";

const problems = Array.from({ length: 12 }, (_, i) => ({
  prompt: `${i % 10}+${(3 * i) % 7}=`,
  completion: String((i % 10) + ((3 * i) % 7)),
}));
const distill = {
  ...{ type: "distill", steps: 4, batchSize: 4, onPolicyFraction: 0 },
  loss: [{ type: "forward-kl" }],
};

function jsonlRun(folder: string, teacher: object, changes: object = {}): RunConfig {
  const path = join(folder, "train.jsonl");
  writeFileSync(path, problems.map((row) => JSON.stringify(row)).join("\n"));
  return tinyRun(join(folder, "runs"), {
    ...{ data: { type: "jsonl", path }, teacher, trainer: distill },
    evaluation: { every: 2, rows: 2 },
    ...changes,
  });
}

async function record(config: RunConfig, options: object): Promise<RecordEvent[]> {
  const events: RecordEvent[] = [];
  const given = { store: "hidden-states", shardRows: 8, dtype: "float32", ...options };
  const parsed = parseConfig(recordOptionsSchema, given, "options");
  for await (const event of recordTeacher(config, parsed)) events.push(event);
  return events;
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "nothing was thrown",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** Recorded once; every test works on a copy. */
let template = "";
let events: RecordEvent[] = [];
beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), "pupil-test-"));
  const from = await saveTinyTeacher(template);
  events = await record(jsonlRun(template, { from }), { output: join(template, "states") });
});
afterAll(() => rmSync(template, { recursive: true }));
function copy() {
  const folder = temporaryFolder();
  cpSync(template, folder, { recursive: true });
  return { folder, from: join(folder, "teacher"), output: join(folder, "states") };
}

/** The first problems as the runs tokenize them. */
async function rowsOf(from: string): Promise<TokenSequence[]> {
  const { model, tokenizer } = await loadModelFolder(from);
  model.dispose();
  return problems.slice(0, 4).map(({ prompt, completion }) => ({
    ids: [...tokenizer.encode(prompt + completion), tokenizer.endIds[0] as number],
    completionStart: prompt.length,
  }));
}

async function teachers(from: string, output: string): Promise<[Teacher, Teacher]> {
  const { model } = await loadModelFolder(from);
  const states = recordedStates(await openHiddenStates(output));
  return [modelTeacher(model), hiddenStatesTeacher(states, await readRecordedHead(output))];
}

describe("a recording of hidden states", () => {
  test("says what it holds and how large it is", () => {
    const { folder, output } = copy();
    const [started] = events;
    const notes = started?.type === "started" ? started.notes.join("\n") : "";
    expect(notes).toMatch(
      /Hidden states of 8 numbers in float32: 32 bytes a position\. Their head of 17 rows is stored beside them in head\.safetensors: 544 bytes\./,
    );
    const manifest = JSON.parse(readFileSync(join(output, "manifest.json"), "utf8")) as object;
    expect(manifest).toMatchObject({
      ...{ tokens: "hidden-states", hiddenSize: 8, vocabSize: 17, dtype: "float32" },
      head: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown, from: null },
    });
    expect(manifest).not.toHaveProperty("k");
    expect(readdirSync(output)).toContain("head.safetensors");
    expect(folder).not.toBe(template);
  });

  test("gives the teacher's logits exactly, at learned positions", async () => {
    const { from, output } = copy();
    const pair = await teachers(from, output);
    using own = pair[0];
    using recorded = pair[1];
    const rows = await rowsOf(from);
    expect(rows.every((row) => recorded.knows?.(row))).toBe(true);
    expect(recorded.knows?.({ ...(rows[0] as TokenSequence), completionStart: 1 })).toBe(false);
    using batch = makeBatch(rows, 0);
    const [a, b] = [
      await own.score(batch, ["teacherLogits"]),
      await recorded.score(batch, ["teacherLogits"]),
    ];
    const difference = tf.tidy(() => {
      const [x, y] = [a.tensors().teacherLogits, b.tensors().teacherLogits] as tf.Tensor[];
      const apart = (x as tf.Tensor).sub(y as tf.Tensor).abs();
      return apart.mul(batch.completionMask.expandDims(2)).max().dataSync()[0];
    });
    expect(difference).toBe(0);
  });

  test.each([0, 2 ** 24])(
    "teaches the same step as the model, with logits of at most %d bytes",
    async (largestLogitsBytes) => {
      const { from, output } = copy();
      const pair = await teachers(from, output);
      using own = pair[0];
      using recorded = pair[1];
      const rows = await rowsOf(from);
      const terms = [lossTerm(reverseKlLoss, { temperature: 2 })];
      const { model } = own;
      if (model === undefined) throw new Error("It has a model.");
      const sizes = { ...model.config, hiddenSize: 12 } as Parameters<typeof initializeDecoder>[0];
      using student = initializeDecoder(sizes, new Random(5));
      const [x, y] = await Promise.all(
        [own, recorded].map(async (teacher) => {
          using batches = splitIntoBatches([], rows, 2, 0);
          const parts = [];
          for (const part of batches.parts) {
            const scores = await teacher.score(part.batch, ["teacherLogits"]);
            // Where logits may not be made, none are.
            const tensors = () => {
              if (largestLogitsBytes === 0) throw new Error("Logits were made.");
              return scores.tensors();
            };
            parts.push({ ...part, teacher: { ...scores, tensors } });
          }
          const context = { progress: 0, states: initialLossStates(terms), largestLogitsBytes };
          using step = await computeGradients(student, terms, parts, context);
          const gradients = new Map<string, Float32Array>();
          for (const [name, gradient] of step.gradients) {
            gradients.set(name, Float32Array.from(await gradient.data()));
          }
          return { loss: step.loss, gradients };
        }),
      );
      expect(x?.loss).toBeGreaterThan(0.01);
      expect(y).toEqual(x);
    },
  );

  test.each([
    ["float32", 1e-6],
    ["float16", 1e-3],
  ])("in %s trains as the teacher does to %d", async (dtype, tolerance) => {
    const { folder, from } = copy();
    const output = join(folder, dtype);
    await record(jsonlRun(folder, { from }), { output, dtype });
    const runs = [{ from }, { type: "hidden-states", from: output }].map((teacher, i) =>
      jsonlRun(folder, teacher, { name: `run-${i}` }),
    );
    for (const run of runs) await runToEnd(run);
    const [own, stored] = runs.map((run) => metricsOf(run).map((row) => row["loss"] as number));
    expect(own?.filter((loss) => loss > 0.01)).toHaveLength(4);
    for (const [i, loss] of (own as number[]).entries()) {
      if (loss === undefined) continue;
      expect(Math.abs((stored?.[i] as number) - loss)).toBeLessThan(tolerance);
    }
  });

  test("gives top-k and draws of it too, from one recording", async () => {
    const { folder, output } = copy();
    for (const [teacher, loss] of [
      [{ topK: 3 }, "sparse-kl"],
      [{ samples: 3 }, "sampled-kl"],
    ] as const) {
      const trainer = { ...distill, steps: 2, loss: [{ type: loss }] };
      const config = { type: "hidden-states", from: output, ...teacher };
      await runToEnd(jsonlRun(folder, config, { trainer, name: loss }));
    }
  });

  test("goes on where it stopped, and not as another one", async () => {
    const { folder, output } = copy();
    const before = readFileSync(join(output, "shard-00001.bin"));
    for (const name of ["shard-00001.bin", "head.safetensors"]) rmSync(join(output, name));
    const path = join(output, "manifest.json");
    const manifest = JSON.parse(readFileSync(path, "utf8")) as { teacher: { name: string } };
    // The copy of the teacher lies elsewhere.
    const config = jsonlRun(template, { from: manifest.teacher.name });
    await record(config, { output });
    expect(readFileSync(join(output, "shard-00001.bin")).equals(before)).toBe(true);
    expect(readdirSync(output)).toContain("head.safetensors");
    expect(await errorOf(record(config, { output, store: "log-probs" }))).toMatch(
      /A recording needs teacherTokenIds, teacherTopLogProbs/,
    );
    const topK = jsonlRun(template, { from: manifest.teacher.name, topK: 2 });
    expect(await errorOf(record(topK, { output, store: "log-probs" }))).toMatch(
      /another recording: .*tokens.* differ/,
    );
    expect(folder).not.toBe(template);
  });
});

describe("the head of a recording", () => {
  test("may stay in the teacher's folder, and is checked there", async () => {
    const { folder, from } = copy();
    const output = join(folder, "referred");
    const started = await record(jsonlRun(folder, { from }), { output, head: "reference" });
    expect(JSON.stringify(started[0])).toContain(`is read from ${from} when they are used`);
    expect(readdirSync(output)).not.toContain("head.safetensors");
    const teacher = { type: "hidden-states", from: output };
    await runToEnd(jsonlRun(folder, teacher, { name: "referred" }));
    await saveTinyTeacher(folder, { seed: 4 });
    expect(await errorOf(runToEnd(jsonlRun(folder, teacher, { name: "other" })))).toMatch(
      /teacher: The head is not the one of the recorded states: its hash is [0-9a-f]{64}, theirs [0-9a-f]{64}\. Restore the head, name the folder/,
    );
    await saveTinyTeacher(folder, { name: "moved" });
    const head = join(folder, "moved");
    await runToEnd(jsonlRun(folder, { ...teacher, head }, { name: "moved-head" }));
  });

  test("is in the teacher's manifest of a checkpoint", async () => {
    const { folder, output } = copy();
    const config = jsonlRun(folder, { type: "hidden-states", from: output });
    await runToEnd(config);
    const path = join(config.output, config.name, "checkpoints/step-4/teacher.json");
    const { teacher } = JSON.parse(readFileSync(path, "utf8")) as { teacher: object };
    const { head } = (await openHiddenStates(output)).manifest;
    expect(teacher).toMatchObject({ kind: "hidden-states", head: head.hash, hashOf: "files" });
  });

  test("of another size is refused", async () => {
    const { folder, output } = copy();
    await saveTinyTeacher(folder, { name: "other", alphabet: "0123456789+=" });
    const teacher = { type: "hidden-states", from: output, head: join(folder, "other") };
    expect(await errorOf(runToEnd(jsonlRun(folder, teacher)))).toMatch(
      /other: The head is \[14, 8\], the one of the recorded states is \[17, 8\]/,
    );
  });
});

describe("a mistake is a clear error", () => {
  test("one kind of recording taken for the other", async () => {
    const { folder, output, from } = copy();
    expect(await errorOf(openRecording(output))).toMatch(
      /is of hidden states, not of log-probabilities\. Use a teacher of type hidden-states: \{ "type": "hidden-states", "from": /,
    );
    const plain = join(folder, "plain");
    await record(jsonlRun(folder, { from, topK: 2 }), { output: plain, store: "log-probs" });
    expect(await errorOf(openHiddenStates(plain))).toMatch(
      /is of log-probabilities, not of hidden states\. Use a teacher of type recorded, or record again/,
    );
  });

  test("a teacher that has none to record", async () => {
    const { folder, from } = copy();
    const path = join(folder, "counts.txt");
    writeFileSync(path, problems.map(({ prompt, completion }) => prompt + completion).join(""));
    const counts = { type: "n-gram", path };
    for (const teacher of [counts, { from, prompt: "9{prompt}" }]) {
      const config = jsonlRun(folder, teacher);
      expect(await errorOf(record(config, { output: join(folder, "none") }))).toMatch(
        /store: The teacher ".*" has no hidden states to record\. Record a model folder/,
      );
    }
  });

  test("neither a recording nor a server, both, another teacher, or no head", async () => {
    const { folder, output } = copy();
    const refusal = (teacher: object) =>
      errorOf(runToEnd(jsonlRun(folder, { type: "hidden-states", ...teacher })));
    expect(await refusal({})).toMatch(
      /teacher: has neither a recording nor a server\. Set teacher\.from/,
    );
    expect(await refusal({ from: output, url: "http://x" })).toMatch(
      /both a recording \(from\) and a server/,
    );
    expect(await refusal({ from: output, teacherHash: "abc" })).toMatch(
      /hash [0-9a-f]{64}, the config wants abc/,
    );
    expect(await refusal({ url: "http://localhost:1" })).toMatch(/teacher\.head: is missing/);
    expect(await refusal({ url: "http://a:b@localhost:1", head: "x" })).toMatch(
      /has a user, a password or a query/,
    );
  });

  test("what the student writes", async () => {
    const { folder, output } = copy();
    const config = jsonlRun(
      folder,
      { type: "hidden-states", from: output },
      { trainer: { ...distill, onPolicyFraction: 0.5 } },
    );
    expect(await errorOf(runToEnd(config))).toMatch(/scores only the rows that were recorded/);
  });

  test("a number that float16 cannot hold, or that is none", async () => {
    const { folder, from } = copy();
    for (const [value, message] of [
      [1e6, /hidden state holds -?\d+(\.\d+)?, too large for float16\. Record with dtype=float32/],
      [Number.NaN, /hidden state holds NaN/],
    ] as const) {
      const { model, tokenizer } = await loadModelFolder(from);
      tf.tidy(() => {
        const norm = model.parameters.get("model.norm.weight") as tf.Variable;
        norm.assign(tf.fill(norm.shape, value));
      });
      await saveModelFolder(join(folder, "large"), model, tokenizer);
      model.dispose();
      const config = jsonlRun(folder, { from: join(folder, "large") });
      const output = join(folder, `large-${value}`);
      expect(await errorOf(record(config, { output, dtype: "float16" }))).toMatch(message);
    }
  });
});

describe("a run that learns from a server of hidden states", () => {
  test("learns the same as from the model, also what it writes itself", async () => {
    const { folder, from } = copy();
    const { model, tokenizer } = await loadModelFolder(from);
    const server = await hiddenStatesServer(model, tokenizer);
    const served = { type: "hidden-states", url: server.url, head: from, retries: 0 };
    const trainer = { ...distill, onPolicyFraction: 0.5, maxNewTokens: 3 };
    const runs = [{ from }, served].map((teacher, i) =>
      jsonlRun(folder, teacher, { name: `run-${i}`, trainer }),
    );
    for (const run of runs) await runToEnd(run);
    const [own, theirs] = runs.map((run) => metricsOf(run).map((row) => row["loss"]));
    expect(own).toEqual(theirs);
    const path = join(folder, "runs/run-1/checkpoints/step-3/teacher.json");
    const { teacher } = JSON.parse(readFileSync(path, "utf8")) as { teacher: { head: string } };
    expect(teacher.head).toMatch(/^[0-9a-f]{64}$/);
    model.dispose();
  });
});
