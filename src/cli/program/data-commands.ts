import { type CliCommand, runFields } from "./command.js";

/** What is done with data before a run. */
export const dataCommands: readonly CliCommand[] = [
  {
    name: "data",
    arguments: { "<config>": "run config", "[words...]": "key=value" },
    summary: "Read and tokenize a config's data and show what a student would learn from it.",
    words: { "trust=true": "a run folder may run modules outside of the working folder" },
    overrides: runFields,
    examples: {
      "pupil data run.json": "counts, lengths, and rows with what is learned of them",
      "pupil data rows.json data.maxLength=512": "what a limit would leave out of rows",
    },
    run: async () => (await import("../commands/data/data.js")).dataCommand,
  },
  {
    name: "collect",
    arguments: {
      "<file>": "collect config: problems, a sampler, filters, transforms, pairs",
      "[words...]": "key=value",
    },
    summary: "Sample completions of problems, choose and rewrite them, and write rows or pairs.",
    overrides: {
      meaning: "Every key=value is a field of the collect config: see docs/own-data.md.",
      schema: async () => (await import("../../config/index.js")).collectConfigSchema,
    },
    examples: {
      "pupil collect traces.json count=500": "of 500 problems",
      "pupil collect traces.json sampler.samplesPerProblem=8": "eight completions of each",
    },
    run: async () => (await import("../commands/data/collect.js")).collectCommand,
  },
  {
    name: "train-tokenizer",
    arguments: { "<words...>": "text files or JSON lines, and key=value" },
    summary: "Train a byte-level BPE tokenizer that Hugging Face's libraries load.",
    options: async () => (await import("../../node/index.js")).trainTokenizerSchema,
    examples: {
      "pupil train-tokenizer my-text.txt output=my-tokenizer vocabSize=2048": "of a text",
      'pupil train-tokenizer rows.jsonl output=row-tokenizer \'fields=["question","solution"]\'':
        "of two fields of rows",
    },
    run: async () => (await import("../commands/data/train-tokenizer.js")).trainTokenizerCommand,
  },
];
