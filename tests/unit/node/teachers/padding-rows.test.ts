import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import {
  recordTeacher,
  resolveRecording,
  type RunEvent,
  saveModelFolder,
} from "../../../../src/node/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { useCpu } from "../../../setup/backends/backend.js";
import { runToEnd, tinyConfig, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";
import { additionAlphabet } from "../../../setup/models/tiny-teacher.js";
import { writeFileSync } from "node:fs";

beforeAll(useCpu);

const tokenizer = characterTokenizer({ alphabet: additionAlphabet });

/** A model folder whose head has some rows of padding. */
async function padded(folder: string, name: string, padding: number): Promise<string> {
  const config = modelConfigSchema.parse({
    family: "llama",
    vocabSize: tokenizer.vocabSize + padding,
    hiddenSize: 8,
    numLayers: 1,
    numHeads: 2,
    maxPositions: 32,
    initializerRange: 0.3,
  });
  using model = initializeDecoder(config, new Random(padding + 1));
  await saveModelFolder(join(folder, name), model, tokenizer);
  return join(folder, name);
}

const trainer = (loss: string) => ({
  type: "distill",
  steps: 2,
  batchSize: 4,
  onPolicyFraction: 0.5,
  loss: [{ type: loss }],
});

function notesOf(events: readonly RunEvent[]): string[] {
  const started = events.find(({ type }) => type === "started");
  return (started as Extract<RunEvent, { type: "started" }>).notes.filter((note) =>
    /rows/.test(note),
  );
}

test.each([
  ["more", 9, 2, "forward-kl"],
  ["more", 9, 2, "reverse-kl"],
  ["fewer", 0, 3, "forward-kl"],
  ["fewer", 0, 3, "reverse-kl"],
])(
  "a teacher with %s rows of padding (%d, student %d) teaches by %s",
  async (_how, mine, students, loss) => {
    const output = temporaryFolder();
    const config = tinyRun(output, {
      student: { from: await padded(output, "student", students) },
      teacher: { from: await padded(output, "teacher", mine) },
      trainer: trainer(loss),
      evaluation: { every: 2, rows: 4 },
    });
    const events = await runToEnd(config);
    const size = tokenizer.vocabSize;
    expect(notesOf(events)).toEqual([
      `The teacher has ${size + mine} rows of logits and the student ${size + students}, for the ${size} ids of one tokenizer: the rows that both have are used.`,
    ]);
    const evaluation = events.find(({ type }) => type === "evaluation");
    const { metrics } = evaluation as Extract<RunEvent, { type: "evaluation" }>;
    const divergences = Object.entries(metrics).filter(([name]) => /Kl$/.test(name));
    expect(divergences.length).toBeGreaterThan(0);
    for (const [name, value] of divergences) expect(Number.isFinite(value), name).toBe(true);
  },
);

test.each(["forward-kl", "reverse-kl"])(
  "a teacher whose language is known teaches a student with rows of padding by %s",
  async (loss) => {
    const output = temporaryFolder();
    const config = tinyRun(output, {
      student: { from: await padded(output, "student", 5) },
      teacher: { type: "bimodal", offsets: [1, 4], weight: 0.7, width: 1 },
      trainer: { ...trainer(loss), onPolicyFraction: 0 },
      evaluation: { every: 2, rows: 4 },
    });
    const events = await runToEnd(config);
    const size = tokenizer.vocabSize;
    expect(notesOf(events)).toEqual([
      `The teacher has ${size} rows of logits and the student ${size + 5}, for the ${size} ids of one tokenizer: the rows that both have are used.`,
    ]);
    const steps = events.filter(({ type }) => type === "step");
    // Rows that no tokenizer knows cost what they weigh, not what an impossible token does.
    for (const { metrics } of steps as Extract<RunEvent, { type: "step" }>[]) {
      expect(metrics.loss).toBeLessThan(50);
    }
    expect(steps).toHaveLength(2);
  },
);

test("equal rows are not worth a note; a recording of more rows is used as well", async () => {
  const output = temporaryFolder();
  const teacher = await padded(output, "teacher", 9);
  const plain = {
    ...tinyConfig(output),
    teacher: { from: teacher, topK: 3 },
    trainer: { ...trainer("sparse-kl"), onPolicyFraction: 0 },
  };
  const file = join(output, "run.json");
  writeFileSync(file, JSON.stringify({ ...plain, student: { from: teacher } }));
  const recording = join(output, "recording");
  const { config, options } = await resolveRecording(file, [`output=${recording}`, "rows=40"]);
  for await (const event of recordTeacher(config, options)) {
    if (event.type === "started")
      expect(event.notes.filter((note) => /padding|rows of logits/.test(note))).toEqual([]);
  }
  const runWith = async (name: string, padding: number) =>
    tinyRun(output, {
      ...plain,
      name,
      student: { from: await padded(output, `student-${padding}`, padding) },
      teacher: { type: "recorded", from: recording },
      trainer: { ...plain.trainer, batchSize: 4, steps: 2 },
    });
  const notes = notesOf(await runToEnd(await runWith("wider", 12)));
  expect(notes.filter((note) => /rows of logits/.test(note))).toHaveLength(1);
  // An untrained teacher finds rows of padding likely, which a narrower student does not have.
  await expect(runToEnd(await runWith("narrower", 2))).rejects.toThrow(
    /names the id \d+, the student has \d+ rows\. .*record with a smaller topK/,
  );
});
