import { z } from "zod";
import { startBackend } from "../../../backend/index.js";
import { applyOverrides, parseConfig, topKNotes } from "../../../config/index.js";
import { compileChatTemplate, encodePrompt } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";
import { contextLength } from "../../../models/index.js";
import {
  findModelFolder,
  type LoadedModel,
  loadModelFolder,
  nodePlatform,
  separatorNotes,
} from "../../../node/index.js";
import { samplingPolicySchema, sampleRollouts } from "../../../rollouts/index.js";
import { Random } from "../../../tensors/index.js";
import { talk } from "../../terminal/talk.js";
import { textStream } from "../../terminal/text-stream.js";
import { writeLine, writeText } from "../../terminal/terminal.js";
import { backendField } from "../backend-field.js";

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
  batchSize: z
    .int()
    .min(1)
    .default(32)
    .describe("How many of them are sampled together. It changes no text, only time and memory."),
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
  requireWholePrompt(path, prompt, overrides);
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
    for (const line of topKNotes("generate", options, loaded.model.config.vocabSize)) {
      writeLine(process.stderr, line);
    }
    if (options.chat) await chat(loaded, prompt, options);
    else {
      const shown = prompt as string;
      for (const line of await separatorNotes(path, shown)) writeLine(process.stderr, line);
      await writeSamples(loaded, { prompt: shown, shown }, options);
    }
  } finally {
    loaded.model.dispose();
  }
}

/** A prompt of several words that is in no quotes ends at its first one. */
function requireWholePrompt(
  path: string,
  prompt: string | undefined,
  words: readonly string[],
): void {
  const stray = words.filter((word) => !word.includes("="));
  if (prompt === undefined || stray.length === 0) return;
  throw new PupilError(`"${stray[0]}" is neither of the prompt nor key=value.`, {
    field: "generate",
    value: stray[0],
    remedy: `Put the whole prompt in quotes: pupil generate ${path} "${[prompt, ...stray].join(" ")}"`,
  });
}

/** Samples one below the other, each under a line of its own where there are several. */
async function writeSamples(
  loaded: LoadedModel,
  { prompt, shown }: { readonly prompt: string; readonly shown: string },
  options: Options,
): Promise<void> {
  const { count, batchSize } = options;
  const promptIds = encodeInContext(loaded, prompt, options);
  const begin = (sample: number) => {
    if (count > 1) writeLine(process.stdout, `--- sample ${sample + 1} of ${count}`);
    writeText(process.stdout, shown);
  };
  for (let first = 0; first < count; first += batchSize) {
    const size = Math.min(batchSize, count - first);
    const samples = Array.from({ length: size }, (_, i) => first + i);
    const end = () => process.stdout.write("\n");
    await write(loaded, promptIds, options, samples, { begin, end });
  }
}

/** One answer to the prompt or several, or a conversation until the input ends. */
async function chat(
  loaded: LoadedModel,
  prompt: string | undefined,
  options: Options,
): Promise<void> {
  const template = await compileChatTemplate(loaded.tokenizer, options.chatTemplate).catch(
    (cause: unknown) => {
      // A template that cannot be read comes with what is wrong in it.
      const isMissing = cause instanceof PupilError && cause.cause === undefined;
      if (!isMissing || options.chatTemplate !== undefined) throw cause;
      throw new PupilError("The model's tokenizer has no chat template.", {
        field: "chatTemplate",
        remedy: "Give a Jinja template: chatTemplate=…, or leave chat=true away.",
        cause,
      });
    },
  );
  const start = options.system === undefined ? [] : [{ role: "system", content: options.system }];
  const render = (messages: readonly { role: string; content: string }[]) =>
    template.render({ messages: [...start, ...messages] }, true);
  if (prompt !== undefined) {
    const asked = render([{ role: "user", content: prompt }]);
    await writeSamples(loaded, { prompt: asked, shown: "" }, options);
    return;
  }
  let turn = 0;
  await talk(process, async (messages) => {
    const promptIds = encodeInContext(loaded, render(messages), options);
    const [answer = ""] = await write(loaded, promptIds, options, [turn++]);
    return answer;
  });
}

/** The ids of a prompt; says how much of the context they take where that is too much. */
function encodeInContext(
  { model, tokenizer }: LoadedModel,
  prompt: string,
  { maxNewTokens }: Options,
): readonly number[] {
  const ids = encodePrompt(tokenizer, prompt);
  const context = contextLength(model.config);
  const room = context - ids.length + 1;
  if (room < maxNewTokens && room > 0) {
    writeLine(
      process.stderr,
      `The prompt takes ${ids.length} of the context of ${context} tokens, which leaves ${room} of the ${maxNewTokens} new tokens asked for.`,
    );
  }
  return ids;
}

/** What stands around each of several completions. */
interface Around {
  readonly begin: (sample: number) => void;
  readonly end: () => void;
}

/**
 * Samples completions of a prompt together and writes them, the first while it grows, and returns them.
 *
 * @param samples numbers of the samples: with the seed, what makes each of them another one
 */
async function write(
  { model, tokenizer }: LoadedModel,
  promptIds: readonly number[],
  { maxNewTokens, seed, samplingTemperature, topK, topP, greedy }: Options,
  samples: readonly number[],
  around: Around = { begin: () => undefined, end: () => undefined },
): Promise<string[]> {
  const stream = () => textStream(tokenizer, promptIds, (text) => writeText(process.stdout, text));
  const first = stream();
  around.begin(samples[0] as number);
  const rollouts = await sampleRollouts({
    prompts: samples.map(() => promptIds),
    ...{ model, endIds: tokenizer.endIds, padId: tokenizer.padId },
    ...{ maxNewTokens, policy: { samplingTemperature, topK, topP, greedy } },
    sequenceIds: samples,
    random: new Random(seed).stream("generate"),
    stopsAt: (row, completionIds) => row === 0 && first.show(completionIds),
  });
  return rollouts.map(({ completionIds }, i) => {
    if (i > 0) around.begin(samples[i] as number);
    const text = (i === 0 ? first : stream()).end(completionIds);
    around.end();
    return text;
  });
}
