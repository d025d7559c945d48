import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { byteTokenizer } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { saveModelFolder } from "../../../../src/node/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { metricsOf, runToEnd, stepsOf, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** A teacher that reads bytes, for students that read characters. */
async function byteTeacher(folder: string): Promise<string> {
  const tokenizer = byteTokenizer();
  const shape = { hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 32 };
  const config = { family: "llama", vocabSize: tokenizer.vocabSize, ...shape };
  using model = initializeDecoder(modelConfigSchema.parse(config), new Random(9));
  await saveModelFolder(join(folder, "teacher"), model, tokenizer);
  return join(folder, "teacher");
}

async function runWith(loss: string | string[], changes: object = {}) {
  const folder = temporaryFolder();
  const run = tinyRun(folder, {
    teacher: { from: await byteTeacher(folder) },
    tokenizer: { type: "character" },
    trainer: {
      type: "distill",
      steps: 3,
      batchSize: 4,
      loss: [loss].flat().map((type) => ({ type })),
    },
    ...changes,
  });
  const events = await runToEnd(run);
  const started = events.find((event) => event.type === "started");
  return {
    notes: started?.notes ?? [],
    rows: metricsOf(run).filter((row) => "loss" in row),
    terms: stepsOf(run)[0]?.terms ?? {},
  };
}

describe("a teacher with another tokenizer", () => {
  test("is refused unless the run says that both are to be aligned", async () => {
    await expect(runWith("reverse-kl")).rejects.toThrow(
      /teacher: The teacher has another tokenizer .* set `alignment` to \{\}/,
    );
  });

  test("is told apart from what the config says of tokenizers", async () => {
    const folder = temporaryFolder();
    const from = await byteTeacher(folder);
    const student = tinyRun(folder, { name: "student" });
    await runToEnd(student);
    await expect(
      runToEnd(
        tinyRun(folder, {
          student: { from: join(folder, "student") },
          teacher: { from },
          trainer: { type: "distill", steps: 1, loss: [{ type: "reverse-kl" }] },
        }),
      ),
    ).rejects.toThrow(/Take a student with the teacher's tokenizer, or set `alignment` to \{\}/);
  });

  test.each([
    ["sparse-kl", "teacherTokenIds"],
    ["hidden-state", "teacherHiddenStates"],
  ])("cannot teach %s, even where it gives %s", async (loss, signal) => {
    const folder = temporaryFolder();
    const teacher = { from: await byteTeacher(folder), topK: 3 };
    await expect(runWith(loss, { alignment: {}, teacher })).rejects.toThrow(
      new RegExp(`alignment: The loss ${loss} needs ${signal}.*cannot be aligned.*Use a loss on`),
    );
  });

  test.each([
    ["reverse-kl", "teacherLogits"],
    ["policy-gradient", "teacherTokenLogProbs"],
    ["universal-logit", "teacherLogits"],
    [["forward-kl", "universal-logit"], "teacherLogits"],
  ])("teaches %s through aligned %s", async (loss, signal) => {
    const { notes, rows } = await runWith(loss, { alignment: {} });
    expect(notes.join(" ")).toContain(`aligned: ${signal}`);
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      expect(Number.isFinite(row["loss"])).toBe(true);
      expect(row["tokens"]).toBeGreaterThan(0);
      expect(row["gradNorm"]).toBeGreaterThan(0);
    }
  });

  test("gives each loss of a sum the logits of its vocabulary", async () => {
    const [alone, both] = await Promise.all([
      runWith("universal-logit", { alignment: {} }),
      runWith(["forward-kl", "universal-logit"], { alignment: {} }),
    ]);
    const common = await runWith("forward-kl", { alignment: {} });
    expect(both.terms).toEqual({ ...common.terms, ...alone.terms });
    expect(Object.keys(both.terms)).toHaveLength(2);
  });
});
