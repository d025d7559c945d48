import { z } from "zod";
import { startBackend } from "../../backend/index.js";
import { applyOverrides, parseConfig } from "../../config/index.js";
import { compileChatTemplate, encodePrompt } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { contextLength } from "../../models/index.js";
import {
  findModelFolder,
  type LoadedModel,
  loadModelFolder,
  nodePlatform,
} from "../../node/index.js";
import { samplingPolicySchema, sampleRollouts } from "../../rollouts/index.js";
import { Random } from "../../tensors/index.js";
import { talk } from "../terminal/talk.js";
import { textStream } from "../terminal/text-stream.js";
import { writeLine, writeText } from "../terminal/terminal.js";
import { backendField } from "./backend-field.js";

export const generateSchema = z.strictObject({
  ...samplingPolicySchema.shape,
  chat: z
    .boolean()
    .default(false)
    .describe("Puts the prompt into the model's chat template; without a prompt, a conversation."),
  chatTemplate: z
    .string()
    .optional()
    .describe("Jinja template of chats. Default: the model's own."),
  system: z.string().optional().describe("Message of the system, before a chat."),
  maxNewTokens: z.int().min(1).default(100).describe("Longest completion in tokens."),
  count: z.int().min(1).default(1).describe("How many completions to sample."),
  seed: z.int().min(0).default(1).describe("Seed of the sampling."),
  backend: backendField("auto"),
});

type Options = z.output<typeof generateSchema>;

/** `pupil generate <model> [prompt] [key=value …]`. */
export async function generateCommand(
  path: string,
  first: string | undefined,
  words: string[],
): Promise<void> {
  // With chat=true the prompt may be left out, and its place is taken by the first word.
  const isChat = [first, ...words].includes("chat=true");
  const isWord = isChat && (first ?? "").split("=", 1).some((key) => key in generateSchema.shape);
  const prompt = isWord ? undefined : first;
  const overrides = isWord && first !== undefined ? [first, ...words] : words;
  const options = parseConfig(generateSchema, applyOverrides({}, overrides), "generate");
  if (prompt === undefined && !options.chat) {
    throw new PupilError("There is no prompt.", {
      remedy: 'Use: pupil generate <model> "<prompt>", or chat=true to talk to the model.',
    });
  }
  if (options.system !== undefined && !options.chat) {
    throw new PupilError("is for chats.", { field: "system", remedy: "Add chat=true." });
  }
  const report = await startBackend(options.backend, { platform: nodePlatform });
  writeLine(process.stderr, report.line);
  const loaded = await loadModelFolder(await findModelFolder(path));
  try {
    if (options.chat) await chat(loaded, prompt, options);
    else await complete(loaded, prompt as string, options);
  } finally {
    loaded.model.dispose();
  }
}

/** The prompt with what the model adds to it; several samples stand below a line each. */
async function complete(loaded: LoadedModel, prompt: string, options: Options): Promise<void> {
  for (let i = 0; i < options.count; i++) {
    if (options.count > 1) writeLine(process.stdout, `--- sample ${i + 1} of ${options.count}`);
    writeText(process.stdout, prompt);
    await write(loaded, prompt, options, i);
    process.stdout.write("\n");
  }
}

/** One answer to the prompt, or a conversation until the input ends. */
async function chat(
  loaded: LoadedModel,
  prompt: string | undefined,
  options: Options,
): Promise<void> {
  const template = await compileChatTemplate(loaded.tokenizer, options.chatTemplate);
  const start = options.system === undefined ? [] : [{ role: "system", content: options.system }];
  let turn = 0;
  const answer = (messages: readonly { role: string; content: string }[]) =>
    write(loaded, template.render({ messages: [...start, ...messages] }, true), options, turn++);
  if (prompt !== undefined) {
    for (let i = 0; i < options.count; i++) {
      if (options.count > 1) writeLine(process.stdout, `--- sample ${i + 1} of ${options.count}`);
      await answer([{ role: "user", content: prompt }]);
      process.stdout.write("\n");
    }
    return;
  }
  await talk(process, answer);
}

/** Writes a completion while it grows, and returns it. */
async function write(
  { model, tokenizer }: LoadedModel,
  prompt: string,
  { maxNewTokens, seed, samplingTemperature, topK, topP, greedy }: Options,
  sample: number,
): Promise<string> {
  const ids = encodePrompt(tokenizer, prompt);
  const context = contextLength(model.config);
  const room = context - ids.length + 1;
  if (room < maxNewTokens && room > 0) {
    writeLine(
      process.stderr,
      `The prompt takes ${ids.length} of the context of ${context} tokens, which leaves ${room} of the ${maxNewTokens} new tokens asked for.`,
    );
  }
  const stream = textStream(tokenizer, ids, (text) => writeText(process.stdout, text));
  const [rollout] = await sampleRollouts({
    ...{ model, prompts: [ids], endIds: tokenizer.endIds, padId: tokenizer.padId },
    ...{ maxNewTokens, policy: { samplingTemperature, topK, topP, greedy } },
    sequenceIds: [sample],
    random: new Random(seed).stream("generate"),
    stopsAt: (_row, completionIds) => stream.show(completionIds),
  });
  return stream.end(rollout?.completionIds ?? []);
}
