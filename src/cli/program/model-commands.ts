import type { CliCommand } from "./command.js";

/** What is done with a trained model. */
export const modelCommands: readonly CliCommand[] = [
  {
    name: "generate",
    arguments: {
      "<model>": "model folder or run folder",
      "[prompt]": "text to continue; with chat=true a first message, or nothing to talk to it",
      "[words...]": "key=value",
    },
    summary: "Let a model complete a prompt, or talk to it.",
    options: async () => (await import("../commands/models/generate.js")).generateSchema,
    examples: {
      'pupil generate runs/mine "Once upon" count=3': "three samples, one below the other",
      "pupil generate runs/mine chat=true": "a conversation in the model's chat template",
    },
    run: async () => (await import("../commands/models/generate.js")).generateCommand,
  },
  {
    name: "info",
    arguments: { "<model>": "model folder or run folder" },
    summary: "Show a model's parameters, memory, architecture and tokenizer.",
    examples: {
      "pupil info runs/mine": "of a run's last checkpoint",
      "pupil info models/Qwen3-0.6B": "of a folder from Hugging Face",
    },
    run: async () => (await import("../commands/models/info.js")).infoCommand,
  },
  {
    name: "tokens",
    arguments: {
      "<model>": "run folder or model folder",
      "<text>": "text to look at",
      "[words...]": "key=value",
    },
    summary: "Show a text with each token coloured by how far model and teacher are apart there.",
    options: async () => (await import("../commands/models/tokens.js")).tokensSchema,
    examples: {
      'pupil tokens runs/mine "12+34=46"': "with the teacher of the run",
      'pupil tokens runs/mine "12+34=46" teacher=models/large by=reverseKl': "with another one",
    },
    run: async () => (await import("../commands/models/tokens.js")).tokensCommand,
  },
  {
    name: "export",
    arguments: { "<model>": "model folder or run folder", "[words...]": "key=value" },
    summary: "Write a model as an ONNX folder that @xenova/transformers runs, also in a browser.",
    options: async () => (await import("../commands/models/export.js")).exportSchema,
    examples: {
      "pupil export runs/mine output=my-onnx": "float32",
      "pupil export runs/mine output=my-onnx dtype=float16": "half as large",
    },
    run: async () => (await import("../commands/models/export.js")).exportCommand,
  },
  {
    name: "merge",
    arguments: {
      "<adapter>": "adapter folder, or run folder of a run with student.lora",
      "[words...]": "key=value",
    },
    summary: "Write a LoRA adapter and its base model as one plain model folder.",
    options: async () => (await import("../commands/models/merge.js")).mergeSchema,
    examples: {
      "pupil merge runs/tuned output=tuned": "a folder that any program loads",
      "pupil merge runs/tuned output=tuned dtype=bfloat16": "stored in half the bytes",
    },
    run: async () => (await import("../commands/models/merge.js")).mergeCommand,
  },
];
