import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { generateCommand } from "../../../src/cli/commands/models/generate.js";
import { decodeCompletion, encodePrompt } from "../../../src/data/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { loadModelFolder, saveModelFolder } from "../../../src/node/index.js";
import { ownDistribution, sampleRollouts } from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../setup/models/tiny-teacher.js";
import { trainedTokenizer } from "../../setup/data/tokenizers.js";

async function printedBy(
  folder: string,
  prompt: string,
  words: string[],
  where: "stdout" | "stderr" = "stdout",
): Promise<string> {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const notes = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    await generateCommand(folder, prompt, [...words, "backend=cpu"]);
    const { calls } = (where === "stdout" ? write : notes).mock;
    return calls.map(([text]) => String(text)).join("");
  } finally {
    write.mockRestore();
    notes.mockRestore();
    await useCpu();
  }
}

/** What a sample is when it is the only one. */
async function sampleAlone(folder: string, prompt: string, sample: number): Promise<string> {
  const { model, tokenizer } = await loadModelFolder(folder);
  using _model = model;
  const promptIds = encodePrompt(tokenizer, prompt);
  const [rollout] = await sampleRollouts({
    ...{ model, prompts: [promptIds], endIds: tokenizer.endIds, padId: tokenizer.padId },
    ...{ maxNewTokens: 8, policy: ownDistribution, sequenceIds: [sample] },
    random: new Random(5).stream("generate"),
  });
  return decodeCompletion(tokenizer, promptIds, rollout?.completionIds ?? []);
}

test("several samples are those that each would be alone, in whatever groups they are sampled", async () => {
  const folder = await saveTinyTeacher(temporaryFolder());
  const alone = [];
  for (let i = 0; i < 5; i++) alone.push(await sampleAlone(folder, "12+", i));
  expect(new Set(alone).size).toBeGreaterThan(1);
  const expected = alone.map((text, i) => `--- sample ${i + 1} of 5\n12+${text}\n`).join("");
  const words = ["maxNewTokens=8", "seed=5", "count=5"];
  expect(await printedBy(folder, "12+", words)).toBe(expected);
  expect(await printedBy(folder, "12+", [...words, "batchSize=2"])).toBe(expected);
});

test("one sample stands alone", async () => {
  const folder = await saveTinyTeacher(temporaryFolder());
  const text = await sampleAlone(folder, "12+", 0);
  expect(await printedBy(folder, "12+", ["maxNewTokens=8", "seed=5"])).toBe(`12+${text}\n`);
});

test("a prompt of several words without quotes, and chats of models that have no template", async () => {
  const folder = await saveTinyTeacher(temporaryFolder());
  await expect(generateCommand(folder, "1", ["2", "3", "seed=5"])).rejects.toThrow(
    `"2" is neither of the prompt nor key=value. Put the whole prompt in quotes: pupil generate ${folder} "1 2 3"`,
  );
  await expect(printedBy(folder, "12+", ["chat=true"])).rejects.toThrow(
    /^chatTemplate: The model's tokenizer has no chat template\./,
  );
});

test("a chat template of the model's own that cannot be read is not called missing", async () => {
  const folder = temporaryFolder();
  const tokenizer = await trainedTokenizer(["12+34=46"], 300);
  const sizes = { vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1, numHeads: 2 };
  const config = modelConfigSchema.parse({ family: "llama", ...sizes, maxPositions: 32 });
  using model = initializeDecoder(config, new Random(1));
  await saveModelFolder(join(folder, "model"), model, tokenizer);
  writeFileSync(join(folder, "model", "chat_template.jinja"), "{% if %}");
  await expect(printedBy(join(folder, "model"), "12+", ["chat=true"])).rejects.toThrow(
    /The chat template cannot be read: .*line 1/,
  );
});

test("a topK that leaves out no token is said", async () => {
  const folder = await saveTinyTeacher(temporaryFolder());
  const notesOf = (...words: string[]) => printedBy(folder, "1", words, "stderr");
  const note = /^generate\.topK is 5000, but the vocabulary has \d+ tokens: none is left out\.$/m;
  expect(await notesOf("topK=5000", "maxNewTokens=2")).toMatch(note);
  expect(await notesOf("topK=5000", "maxNewTokens=2", "greedy=true")).not.toMatch(note);
  expect(await notesOf("topK=2", "maxNewTokens=2")).not.toMatch(note);
});
