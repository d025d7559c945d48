import { type CliCommand, runFields } from "./command.js";

const nameOf = ({ name }: { readonly name: string }) => name;

/** What compares, explains and checks. */
export const studyCommands: readonly CliCommand[] = [
  {
    name: "ablate",
    arguments: {
      "<what>":
        "a method (see pupil methods), an ablation file (.json), a module of a method, or the folder of an ablation",
      "[words...]": "key=value; for a folder: attach or cancel",
    },
    summary: "Compare arms over seeds, in parallel runs; stopped, it continues where it was.",
    words: {
      attach: "of a folder: show the ablation that another process runs there",
      cancel: "of a folder: take its jobs out of the cluster",
    },
    options: async () => (await import("../commands/studies/ablate.js")).ablateSchema,
    overrides: {
      meaning:
        "Every other key=value is a setting of the method: see `pupil describe method <name>`.",
    },
    choices: async () => (await import("../../methods/index.js")).methodDefinitions.map(nameOf),
    examples: {
      "pupil ablate redi seeds=3": "its arms over three seeds, with a verdict",
      "pupil ablate my.json seeds=5 processes=2": "arms of a config of your own, two runs at once",
      "pupil ablate my.json executor=slurm slurm.partition=cpu slurm.time=30":
        "as an array of a Slurm cluster",
      "pupil ablate ablations/mine attach": "from another terminal",
    },
    run: async () => (await import("../commands/studies/ablate.js")).ablateCommand,
  },
  {
    name: "methods",
    arguments: { "[words...]": "key=value" },
    summary: "List the published methods, what each claims and what its committed report found.",
    options: async () => (await import("../commands/studies/methods.js")).methodsSchema,
    examples: {
      "pupil methods": "all of them",
      "pupil describe method redi": "one of them, with its settings",
    },
    run: async () => (await import("../commands/studies/methods.js")).methodsCommand,
  },
  {
    name: "compare",
    arguments: { "<runs...>": "run folders, and key=value" },
    summary:
      "Compare runs that exist, paired over seeds where their configs differ in nothing else.",
    options: async () => (await import("../commands/studies/compare.js")).compareSchema,
    examples: {
      "pupil compare runs/sft-1 runs/sft-2 runs/kd-1 runs/kd-2": "two seeds of two configs",
      "pupil compare runs/* output=report": "with a report in a folder",
    },
    run: async () => (await import("../commands/studies/compare.js")).compareCommand,
  },
  {
    name: "report",
    arguments: { "<runs...>": "run folders, and key=value" },
    summary: "Write a run, or several on the same axes, as a page that needs nothing else.",
    options: async () => (await import("../commands/studies/report.js")).reportSchema,
    examples: {
      "pupil report runs/mine": "writes runs/mine/report.html",
      "pupil report runs/sft runs/kd output=both.html": "two runs on the same axes",
    },
    run: async () => (await import("../commands/studies/report.js")).reportCommand,
  },
  {
    name: "view",
    arguments: { "[words...]": "folder of runs (default: runs), and key=value" },
    summary: "Show runs and ablations live as pages on this machine; it only reads.",
    options: async () => (await import("../commands/studies/view.js")).viewSchema,
    examples: {
      "pupil view": "the runs in runs/, on a free port that is printed",
      "pupil view runs port=8080 open=true": "opened in a browser",
    },
    run: async () => (await import("../commands/studies/view.js")).viewCommand,
  },
  {
    name: "compare-supports",
    arguments: {
      "<config>": "run config or run folder, for its student, teacher and data",
      "[words...]": "key=value",
    },
    summary: "Compare gradients from part of a teacher's distribution with those from all of it.",
    words: {
      "positions=": "held-out positions that are looked at (default 64)",
      "draws=": "draws per estimate (default 100)",
      "k=": "sizes of the part, separated by commas (default 1,4,16,64)",
      "gradients=": "logits, parameters or both (default: both where the student is small)",
      "json=": "file for the figures",
    },
    overrides: runFields,
    examples: {
      "pupil compare-supports run.json": "a table of bias, variance and cosine",
      "pupil compare-supports runs/mine k=1,10 json=supports.json": "for two sizes, kept in a file",
    },
    run: async () =>
      (await import("../commands/studies/compare-supports.js")).compareSupportsCommand,
  },
  {
    name: "describe",
    arguments: {
      "[words...]":
        "a name, or a kind and a name, perhaps behind a file of your own; a list when left out",
    },
    summary: "Show a component's fields, defaults and meaning.",
    choices: async () => {
      const { components } = await import("../../config/index.js");
      return [...new Set(components.flatMap(({ kind, name }) => [kind, name]))];
    },
    examples: {
      "pupil describe loss reverse-kl": "a loss with its formula and options",
      "pupil describe run": "every field of a run config",
    },
    run: async () => {
      const { describeCommand } = await import("../commands/studies/describe.js");
      return (words: string[]) => describeCommand(words);
    },
  },
  {
    name: "check-losses",
    arguments: {
      "[file]": "module with your own losses; the built-in ones when left out",
      "[words...]": "key=value",
    },
    summary: "Prove losses: gradients, declared properties, masks, extremes, golden cases.",
    options: async () => (await import("../commands/studies/check-losses.js")).checkLossesSchema,
    examples: {
      "pupil check-losses my-loss.mjs": "the checks of a loss of your own",
      "pupil check-losses my-loss.mjs cases=cases.json": "and values that you know",
    },
    run: async () => (await import("../commands/studies/check-losses.js")).checkLossesCommand,
  },
  {
    name: "doctor",
    summary: "Show every backend, device and version, and what to install for a better one.",
    examples: {
      "pupil doctor": "what runs here",
      "PUPIL_THREADS=1 pupil doctor": "with one thread",
      "pupil doctor --verbose": "and what WebGPU itself writes to the terminal",
    },
    flags: {
      "--verbose": "ask WebGPU in any case, and let it say what it misses",
    },
    run: async () => (await import("../commands/studies/doctor.js")).doctorCommand,
  },
];
