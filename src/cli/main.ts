#!/usr/bin/env node
import { Command } from "commander";
import { PupilError } from "../errors/index.js";
import { versions } from "../node/index.js";
import { ablateCommand } from "./ablate.js";
import { checkLossesCommand } from "./check-losses.js";
import { endOnClosedPipes } from "./closed-pipes.js";
import { compareSupportsCommand } from "./compare-supports.js";
import { compareCommand } from "./compare.js";
import { collectCommand } from "./collect.js";
import { dataCommand } from "./data.js";
import { describeCommand } from "./describe.js";
import { doctorCommand } from "./doctor.js";
import { evaluateCommand } from "./evaluate.js";
import { exportCommand } from "./export.js";
import { exportMetricsCommand } from "./export-metrics.js";
import { generateCommand } from "./generate.js";
import { recordTeacherCommand } from "./record-teacher.js";
import { reportCommand } from "./report.js";
import { infoCommand } from "./info.js";
import { mergeCommand } from "./merge.js";
import { methodsCommand } from "./methods.js";
import { runsCommand } from "./runs.js";
import { tokensCommand } from "./tokens.js";
import { trainCommand } from "./train.js";
import { viewCommand } from "./view.js";
import { trainTokenizerCommand } from "./train-tokenizer.js";
import { writeLine } from "./terminal.js";

const program = new Command("pupil")
  .description("Train small transformer students from a teacher's token-level logits.")
  .version(versions()["pupil"] ?? "unknown")
  .showHelpAfterError();

program
  .command("train")
  .argument("[config]", "run config (JSON); not needed with resume=<run folder>")
  .argument("[overrides...]", "key=value, for example trainer.steps=200 or resume=runs/demo")
  .description("Train a student; Ctrl-C ends with a checkpoint, resume=<run> continues exactly.")
  .action(trainCommand);

program
  .command("ablate")
  .argument(
    "<what>",
    "a method (see pupil methods), an ablation file (.json), or a module of a method",
  )
  .argument(
    "[overrides...]",
    "seeds=5, output=<folder>, stages=<folder>, processes=2, and key=value",
  )
  .description("Compare arms over seeds, in parallel runs; stopped, it continues where it was.")
  .action(ablateCommand);

program
  .command("methods")
  .argument("[options...]", "methods=<file>, a module with methods of your own")
  .description("List the published methods, what each claims and what its committed report found.")
  .action(methodsCommand);

program
  .command("compare")
  .argument("<runs...>", "run folders; output=<folder> writes a report")
  .description(
    "Compare runs that exist, paired over seeds where their configs differ in nothing else.",
  )
  .action(compareCommand);

program
  .command("runs")
  .argument("[folder]", "folder of run folders; default: runs")
  .description("List runs: state, steps and last measures.")
  .action(runsCommand);

program
  .command("report")
  .argument("<runs...>", "run folders; output=<file> writes elsewhere than into the first one")
  .description("Write a run, or several on the same axes, as a page that needs nothing else.")
  .action(reportCommand);

program
  .command("view")
  .argument("[words...]", "folder of runs (default: runs), open=true, port=8080")
  .description("Serve live pages of runs and ablations to browsers of this machine; it only reads.")
  .action(viewCommand);

program
  .command("collect")
  .argument("<file>", "collect config (JSON): problems, a sampler, filters, transforms, pairs")
  .argument("[overrides...]", "key=value, for example count=500 or sampler.samplesPerProblem=8")
  .description("Sample completions of problems, choose and rewrite them, and write rows or pairs.")
  .action(collectCommand);

program
  .command("evaluate")
  .argument("<config>", "run config (JSON) or run folder, for its data and teacher")
  .argument("[overrides...]", "model=<folder> and key=value")
  .description("Measure a model on the held-out data of a config.")
  .action(evaluateCommand);

program
  .command("compare-supports")
  .argument("<config>", "run config (JSON) or run folder, for its student, teacher and data")
  .argument(
    "[overrides...]",
    "positions=64, draws=100, k=1,4,16,64, gradients=both, json=<file>, and key=value",
  )
  .description("Compare gradients from part of a teacher's distribution with those from all of it.")
  .action(compareSupportsCommand);

program
  .command("generate")
  .argument("<model>", "model folder or run folder")
  .argument("<prompt>", "text to continue")
  .argument("[overrides...]", "key=value: seed, count, maxNewTokens, samplingTemperature, …")
  .description("Let a model complete a prompt.")
  .action(generateCommand);

program
  .command("tokens")
  .argument("<model>", "run folder or model folder")
  .argument("<text>", "text to look at")
  .argument("[options...]", "teacher=<folder>, by=forwardKl|reverseKl, alternatives=3")
  .description("Show a text with each token coloured by how far model and teacher are apart there.")
  .action(tokensCommand);

program
  .command("data")
  .argument("<config>", "run config (JSON)")
  .argument("[overrides...]", "key=value, for example data.maxLength=512")
  .description("Read and tokenize a config's data and show what a student would learn from it.")
  .action(dataCommand);

program
  .command("export")
  .argument("<model>", "model folder or run folder")
  .argument("[options...]", "output=<folder>, dtype=float32|float16")
  .description("Write a model as an ONNX folder that @xenova/transformers runs, also in a browser.")
  .action(exportCommand);

program
  .command("export-metrics")
  .argument("<run>", "run folder")
  .argument("[options...]", "format=csv|tensorboard, output=<file>")
  .description("Write the steps and evaluations of a run as CSV or as a TensorBoard event file.")
  .action(exportMetricsCommand);

program
  .command("merge")
  .argument("<adapter>", "adapter folder, or run folder of a run with student.lora")
  .argument("[overrides...]", "key=value: output, dtype")
  .description("Write a LoRA adapter and its base model as one plain model folder.")
  .action(mergeCommand);

program
  .command("record-teacher")
  .argument("<config>", "run config (JSON) or run folder, for its teacher, tokenizer and data")
  .argument("[overrides...]", "output=<folder>, rows, generate, dtype, … and key=value")
  .description("Store a teacher's log-probabilities of the rows of a config, to train from later.")
  .action(recordTeacherCommand);

program
  .command("train-tokenizer")
  .argument("<words...>", "text files or JSON lines, and key=value: output, vocabSize, …")
  .description("Train a byte-level BPE tokenizer that Hugging Face's libraries load.")
  .action(trainTokenizerCommand);

program
  .command("info")
  .argument("<model>", "model folder or run folder")
  .description("Show a model's parameters, memory, architecture and tokenizer.")
  .action(infoCommand);

program
  .command("describe")
  .argument(
    "[words...]",
    "a name, or a kind and a name (loss reverse-kl), perhaps behind a file of your own; everything when left out",
  )
  .description("Show a component's fields, defaults and meaning.")
  .action(describeCommand);

program
  .command("check-losses")
  .argument("[file]", "module with your own losses; the built-in ones when left out")
  .argument("[options...]", "cases=<file.json>, tolerance=2e-4")
  .description("Prove losses: gradients, declared properties, masks, extremes, golden cases.")
  .action(checkLossesCommand);

program
  .command("doctor")
  .description("Show every backend, device and version, and what to install for a better one.")
  .action(doctorCommand);

endOnClosedPipes();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof PupilError)) throw error;
  writeLine(process.stderr, `error: ${error.message}`);
  process.exitCode = 1;
}
