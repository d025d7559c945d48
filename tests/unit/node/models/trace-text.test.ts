import { join } from "node:path";
import { expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../../src/models/index.js";
import { saveModelFolder, traceText } from "../../../../src/node/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

async function modelAt(path: string, alphabet: string, seed = 1): Promise<string> {
  const tokenizer = characterTokenizer({ alphabet });
  const sizes = {
    hiddenSize: 8,
    numLayers: 1,
    numHeads: 2,
    maxPositions: 6,
    initializerRange: 0.5,
  };
  const config = { family: "llama", vocabSize: tokenizer.vocabSize, ...sizes };
  using model = initializeDecoder(modelConfigSchema.parse(config), new Random(seed));
  await saveModelFolder(path, model, tokenizer);
  return path;
}

test("a text is seen by a model and a teacher, as far as they can see", async () => {
  const folder = temporaryFolder();
  const student = await modelAt(join(folder, "a"), "abc");
  const teacher = { from: await modelAt(join(folder, "b"), "abc", 2) };
  const { given, tokens, notes } = await traceText(student, "abcabcabc", { teacher });
  expect(given + tokens.map(({ text }) => text).join("")).toBe("abcabcabc".slice(0, 6));
  expect(notes.at(-1)).toMatch(/^The last 3 of 9 tokens do not fit the context\.$/);
  expect(tokens[0]?.forwardKl).toBeGreaterThan(0);
  const same = await traceText(student, "abc", { teacher: { from: student }, alternatives: 2 });
  for (const token of same.tokens) {
    expect(token.forwardKl).toBeCloseTo(0, 5);
    expect(token.student).toEqual(token.teacher);
    expect(token.student).toHaveLength(2);
  }
});

test("the teacher of a run is the default; without one, or with another vocabulary, it is refused", async () => {
  const output = join(temporaryFolder(), "runs");
  await runToEnd(tinyRun(output, { name: "teacher" }));
  const from = join(output, "teacher");
  const trainer = { type: "distill", steps: 1, batchSize: 2, loss: [{ type: "forward-kl" }] };
  await runToEnd(tinyRun(output, { teacher: { from }, trainer }));
  const { tokens } = await traceText(join(output, "tiny"), "1+1=2");
  expect(tokens).toHaveLength(4);
  await expect(traceText(from, "1")).rejects.toThrow(/There is no teacher to compare with/);
  const other = await modelAt(join(output, "other"), "12345");
  await expect(traceText(from, "1", { teacher: { from: other } })).rejects.toThrow(
    /teacher: The teacher has another tokenizer than the model/,
  );
});
