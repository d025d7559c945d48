import { type CliCommand, runFields } from "./command.js";
import { dataCommands } from "./data-commands.js";
import { modelCommands } from "./model-commands.js";
import { studyCommands } from "./study-commands.js";

const trainingCommands: readonly CliCommand[] = [
  {
    name: "init",
    arguments: {
      "[kind]": "text, jsonl, on-policy or pairs; a list of them when left out",
      "[file]": "config to write; default: <kind>.jsonc",
    },
    summary: "Write a commented config to start from, with a little data, that `pupil train` runs.",
    choices: async () => (await import("../commands/training/init.js")).starterKinds,
    examples: {
      "pupil init text": "writes text.jsonc and text.txt; then: pupil train text.jsonc",
      "pupil init on-policy mine.jsonc":
        "a student that learns from a teacher's view of its own text",
    },
    run: async () => (await import("../commands/training/init.js")).initCommand,
  },
  {
    name: "train",
    arguments: {
      "[config]": "run config (JSON, comments allowed); not needed with resume=",
      "[words...]": "key=value",
    },
    summary: "Train a student; Ctrl-C ends with a checkpoint, resume=<run> continues exactly.",
    words: {
      "resume=": "run folder to continue; steps, evaluation and checkpoint may be changed",
      "newTeacher=true": "a run that continues may have another teacher",
      "trust=true": "a run folder may run modules outside of the working folder",
    },
    overrides: runFields,
    examples: {
      "pupil train run.json trainer.steps=200 name=short": "trains with two fields changed",
      "pupil train resume=runs/short trainer.steps=400": "goes on from its last checkpoint",
    },
    run: async () => (await import("../commands/training/train.js")).trainCommand,
  },
  {
    name: "evaluate",
    arguments: {
      "<config>": "run config or run folder, for its data and teacher",
      "[words...]": "key=value",
    },
    summary: "Measure a model on the held-out data of a config.",
    words: {
      "model=": "model folder to measure; default: what the config trained",
      "json=":
        "file for the measures and completions; - for the standard output, instead of the table",
      "trust=true": "a run folder may run modules outside of the working folder",
    },
    overrides: runFields,
    examples: {
      "pupil evaluate runs/mine": "prints a table of the measures",
      "pupil evaluate run.json model=runs/other evaluation.rows=500 json=measures.json":
        "measures another model on more rows, and keeps the figures",
    },
    run: async () => (await import("../commands/training/evaluate.js")).evaluateCommand,
  },
  {
    name: "runs",
    arguments: { "[folder]": "folder of run folders; default: runs" },
    summary: "List runs: state, steps and last measures.",
    examples: {
      "pupil runs": "those in runs",
      "pupil runs ablations/redi/cells": "those of an ablation",
    },
    run: async () => (await import("../commands/training/runs.js")).runsCommand,
  },
  {
    name: "export-metrics",
    arguments: { "<run>": "run folder", "[words...]": "key=value" },
    summary: "Write the steps and evaluations of a run as CSV or as a TensorBoard event file.",
    options: async () => (await import("../../node/index.js")).exportMetricsSchema,
    examples: {
      "pupil export-metrics runs/mine": "writes CSV",
      "pupil export-metrics runs/mine format=tensorboard": "writes an event file",
    },
    run: async () => (await import("../commands/training/export-metrics.js")).exportMetricsCommand,
  },
  {
    name: "record-teacher",
    arguments: {
      "<config>": "run config or run folder, for its teacher, tokenizer and data",
      "[words...]": "key=value",
    },
    summary: "Store a teacher's log-probabilities of the rows of a config, to train from later.",
    options: async () => (await import("../../config/index.js")).recordOptionsSchema,
    overrides: runFields,
    examples: {
      "pupil record-teacher run.json output=recordings/mine teacher.topK=50":
        "its 50 likeliest tokens",
      "pupil record-teacher run.json output=recordings/own generate=true teacher.samples=8":
        "completions that the teacher writes itself, with 8 draws for every token",
    },
    run: async () => (await import("../commands/training/record-teacher.js")).recordTeacherCommand,
  },
];

const completionCommand: CliCommand = {
  name: "completion",
  arguments: {
    "<shell>": "bash, zsh or fish",
    "[words...]": "for the scripts: with `candidates` as the shell, what is typed so far",
  },
  summary: "Print a script with which a shell completes commands, fields, values and paths at Tab.",
  choices: async () => (await import("../completion/scripts.js")).shells,
  examples: {
    "pupil completion bash >> ~/.bashrc": "from the next shell on; zsh: >> ~/.zshrc",
    "pupil completion fish > ~/.config/fish/completions/pupil.fish": "where fish looks for it",
  },
  async run() {
    const { completionCommand: complete } = await import("../commands/completion.js");
    return (shell: string, words: readonly string[]) => complete(commands, shell, words);
  },
};

/** Every command, in the order of the help. */
export const commands: readonly CliCommand[] = [
  ...trainingCommands,
  ...modelCommands,
  ...dataCommands,
  ...studyCommands,
  completionCommand,
];
