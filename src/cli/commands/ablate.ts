import { z } from "zod";
import { applyOverrides, parseConfig } from "../../config/index.js";
import { findMethod, type MethodDefinition, methodDefinitions } from "../../methods/index.js";
import {
  ablate,
  failuresTable,
  unfinishedLines,
  type AblationPlan,
  type AblationResults,
  loadMethod,
  loadMethods,
  planAblation,
  planMethod,
  type PlanOptions,
} from "../../node/index.js";
import { stageProgress } from "../terminal/stage-progress.js";
import { formatNumber } from "../terminal/format.js";
import { writeLine } from "../terminal/terminal.js";
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
  processes: z.int().min(1).optional().describe("Runs at once. Default: the cores."),
  methods: methodModules,
});

/** `pupil ablate <method | file.json | module.ts> [seeds=5] [output=…] [stages=…] [processes=…] [key=value …]`. */
export async function ablateCommand(what: string, words: string[]): Promise<void> {
  const isOption = (word: string) =>
    Object.keys(ablateSchema.shape).includes(word.split("=", 1)[0] as string);
  const given = applyOverrides({}, words.filter(isOption));
  const { seeds, output, stages, processes, methods } = parseConfig(ablateSchema, given, "ablate");
  const overrides = words.filter((word) => !isOption(word));
  const all = [...methodDefinitions, ...(await loadMethods(methods))];
  const plan = await planOf(what, overrides, { folder: output, seeds, stages }, all);
  for (const line of planLines(plan)) writeLine(process.stderr, line);

  const stop = new AbortController();
  const onInterrupt = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
    writeLine(
      process.stderr,
      "Stopping; the runs save what they have. Press Ctrl-C again to quit.",
    );
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  const progress = stageProgress(plan.stages, process.stderr);
  const command = `npx pupil ablate ${[what, ...words].join(" ")}`;
  try {
    const options = { plan, command, processes, signal: stop.signal, report: progress.show };
    const results = await ablate(options);
    progress.end();
    for (const line of resultLines(plan, results)) writeLine(process.stdout, line);
    if (!results.finished) {
      writeLine(process.stderr, `Continue with: ${command}`);
      process.exitCode = stop.signal.aborted ? 130 : 1;
    }
  } finally {
    progress.end();
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}

/** A file of JSON or a module by its path, else a method by its name. */
async function planOf(
  what: string,
  words: readonly string[],
  options: PlanOptions,
  methods: readonly MethodDefinition[],
): Promise<AblationPlan> {
  if (/\.json$/i.test(what)) return planAblation(what, words, options);
  const isModule = /\.[cm]?[jt]sx?$/i.test(what);
  const method = isModule ? await loadMethod(what) : findMethod(what, methods);
  return planMethod(method, words, options);
}

function planLines(plan: AblationPlan): string[] {
  const { name, arms, seeds, cells, stages, folder, claim, rule } = plan;
  const work =
    stages.length === cells.length
      ? `${cells.length} runs`
      : `${cells.length} results of ${stages.length} stages`;
  return [
    `${name}: ${arms.length} arms, ${seeds.length} seeds, ${work}, in ${folder}.`,
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
    ...unfinishedLines(plan, results).map((line) => line.replaceAll("**", "")),
    ...(verdict === undefined
      ? []
      : [`Verdict${results.finished ? "" : " so far"}: ${verdict.result}. ${verdict.claim}`]),
    `Report: ${plan.folder}/report.html, report.md, results.json`,
  ];
}
