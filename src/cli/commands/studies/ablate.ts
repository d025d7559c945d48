import { z } from "zod";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import { findMethod, type MethodDefinition, methodDefinitions } from "../../../methods/index.js";
import {
  ablate,
  checkExecutor,
  executorShape,
  type ExecutorWords,
  kubernetesFields,
  stageEngine,
  writeTaskFiles,
  failuresTable,
  unfinishedLines,
  type AblationPlan,
  type AblationResults,
  loadMethod,
  loadMethods,
  planAblation,
  planMethod,
  type PlanOptions,
} from "../../../node/index.js";
import { jobInterrupts } from "../../terminal/job-interrupts.js";
import { stageProgress } from "../../terminal/stage-progress.js";
import { formatNumber } from "../../terminal/format.js";
import { writeLine } from "../../terminal/terminal.js";
import { attachCommand, cancelCommand } from "./ablate-attach.js";
import { methodModules } from "./methods.js";

export const ablateSchema = z.strictObject({
  seeds: z
    .union([z.int().min(1), z.array(z.int().min(0)).min(1)])
    .optional()
    .describe("How many seeds, from 1; or which."),
  output: z.string().optional().describe("Folder. Default: ablations/<name>."),
  stages: z
    .string()
    .min(1)
    .optional()
    .describe("Folder of stages, which ablations may share. Default: stages in the output folder."),
  methods: methodModules,
  ...executorShape,
});

/**
 * `pupil ablate <method | file.json | module.ts> [seeds=5] [output=…] [stages=…] [executor=…] [key=value …]`, and
 * `pupil ablate <folder> attach | cancel`.
 */
export async function ablateCommand(what: string, words: string[]): Promise<void> {
  if (words[0] === "attach" || words[0] === "cancel") {
    requireAlone(words);
    return words[0] === "attach" ? attachCommand(what) : cancelCommand(what);
  }
  const isOption = (word: string) =>
    Object.keys(ablateSchema.shape).includes(word.split(/[=.]/, 1)[0] as string);
  const given = applyOverrides({}, words.filter(isOption));
  const { seeds, output, stages, methods, ...executor } = parseConfig(
    ablateSchema,
    given,
    "ablate",
  );
  const where = checkExecutor(executor);
  const overrides = words.filter((word) => !isOption(word));
  const all = [...methodDefinitions, ...(await loadMethods(methods))];
  const plan = await planOf(what, overrides, { folder: output, seeds, stages }, all);
  const command = `npx pupil ablate ${[what, ...words].join(" ")}`;
  if (where === "kubernetes-yaml") return writeFiles(plan, executor, command);
  const engine = await stageEngine(executor, plan);
  for (const line of planLines(plan, engine?.executor.name)) writeLine(process.stderr, line);

  const progress = stageProgress(plan.stages, process.stderr, plan.folder);
  using interrupts = jobInterrupts(engine?.executor.name, progress);
  const { signal } = interrupts;
  const { processes } = executor;
  try {
    const results = await ablate({
      ...{ plan, command, processes, engine, signal, report: progress.show },
    });
    progress.end();
    for (const line of resultLines(plan, results)) writeLine(process.stdout, line);
    if (!results.finished) {
      writeLine(process.stderr, `Continue with: ${command}`);
      process.exitCode = interrupts.exitCode() ?? 1;
    }
  } finally {
    progress.end();
  }
}

function requireAlone([what = "", ...others]: readonly string[]): void {
  if (others.length === 0) return;
  throw new PupilError("takes no other words.", {
    ...{ field: what, value: others.join(" ") },
    remedy: `Write: pupil ablate <folder> ${what}`,
  });
}

/** Files for the tools of clusters; they submit them. */
async function writeFiles(
  plan: AblationPlan,
  executor: ExecutorWords,
  command: string,
): Promise<void> {
  const { files, cells } = await writeTaskFiles(
    plan,
    kubernetesFields.parse(executor.kubernetes ?? {}),
  );
  for (const file of files) writeLine(process.stdout, file);
  const local = command.replace(/ executor=\S+/, "").replaceAll(/ kubernetes\.\S+/g, "");
  writeLine(
    process.stderr,
    cells === 0
      ? `Everything is there. The report: ${local}`
      : `${cells} runs, to be submitted in the order of the files. Afterwards, for the report: ${local}`,
  );
}

/** A file of JSON or a module by its path, else a method by its name. */
async function planOf(
  what: string,
  words: readonly string[],
  options: PlanOptions,
  methods: readonly MethodDefinition[],
): Promise<AblationPlan> {
  if (/\.jsonc?$/i.test(what)) return planAblation(what, words, options);
  const isModule = /\.[cm]?[jt]sx?$/i.test(what);
  const method = isModule ? await loadMethod(what) : findMethod(what, methods);
  return planMethod(method, words, options);
}

function planLines(plan: AblationPlan, cluster = "processes of this machine"): string[] {
  const { name, arms, seeds, cells, stages, folder, claim, rule } = plan;
  const work =
    stages.length === cells.length
      ? `${cells.length} runs`
      : `${cells.length} results of ${stages.length} stages`;
  return [
    `${name}: ${arms.length} arms, ${seeds.length} seeds, ${work} by ${cluster}, in ${folder}.`,
    ...(claim === undefined ? [] : [`Claim: ${claim.text}`, `Rule: ${rule}`]),
  ];
}

function resultLines(plan: AblationPlan, results: AblationResults): string[] {
  const { paired, derived, baseline, verdict, failed } = results;
  const differences = Object.entries(paired).flatMap(([arm, metrics]) =>
    Object.entries(metrics).map(([metric, { difference, low, high, seeds }]) => {
      const none = seeds < 2 ? "one seed" : "no interval: not finite";
      const interval =
        low === undefined ? none : `${formatNumber(low)} to ${formatNumber(high as number)}`;
      return `${arm} − ${baseline}  ${metric}  ${formatNumber(difference)}  (${interval})`;
    }),
  );
  return [
    ...differences,
    ...Object.entries(derived ?? {}).map(([name, { value, low, high }]) => {
      const interval =
        low === undefined
          ? "no interval"
          : `${formatNumber(low)} to ${formatNumber(high as number)}`;
      return `${name}  ${formatNumber(value)}  (${interval})`;
    }),
    ...failuresTable({ failed }).rows.map(
      ([arms, seeds, why]) => `failed: ${arms}, seed ${seeds}: ${why}`,
    ),
    ...(results.stopped === undefined || results.stopped.length === 0
      ? []
      : [`${results.stopped.length} of ${plan.cells.length} runs were ended early by the rule.`]),
    ...unfinishedLines(plan, results).map((line) => line.replaceAll("**", "")),
    ...(verdict === undefined
      ? []
      : [`Verdict${results.finished ? "" : " so far"}: ${verdict.result}. ${verdict.claim}`]),
    `Report: ${plan.folder}/report.html, report.md, results.json`,
  ];
}
