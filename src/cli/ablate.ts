import { z } from "zod";
import { applyOverrides, parseConfig } from "../config/index.js";
import { ablate, type AblationPlan, type AblationResults, planAblation } from "../node/index.js";
import { cellProgress } from "./cell-progress.js";
import { formatNumber } from "./format.js";
import { writeLine } from "./terminal.js";

const optionsSchema = z.strictObject({
  seeds: z
    .union([z.int().min(1), z.array(z.int().min(0)).min(1)])
    .optional()
    .describe("How many seeds, from 1; or which."),
  output: z.string().optional().describe("Folder. Default: ablations/<name>."),
  processes: z.int().min(1).optional().describe("Runs at once. Default: the cores."),
});

/** `pupil ablate <file.json> [seeds=5] [output=…] [processes=…] [key=value …]`. */
export async function ablateCommand(path: string, words: string[]): Promise<void> {
  const isOption = (word: string) =>
    Object.keys(optionsSchema.shape).includes(word.split("=", 1)[0] as string);
  const given = applyOverrides({}, words.filter(isOption));
  const { seeds, output, processes } = parseConfig(optionsSchema, given, "ablate");
  const overrides = words.filter((word) => !isOption(word));
  const plan = await planAblation(path, overrides, { folder: output, seeds });
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
  const progress = cellProgress(plan.cells, process.stderr);
  const command = `npx pupil ablate ${[path, ...words].join(" ")}`;
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

function planLines({ name, arms, seeds, cells, folder, claim, rule }: AblationPlan): string[] {
  return [
    `${name}: ${arms.length} arms, ${seeds.length} seeds, ${cells.length} runs, in ${folder}.`,
    ...(claim === undefined ? [] : [`Claim: ${claim.text}`, `Rule: ${rule}`]),
  ];
}

function resultLines(plan: AblationPlan, results: AblationResults): string[] {
  const { paired, baseline, verdict, failed } = results;
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
    ...failed.map(({ arm, seed, message }) => `failed: ${arm}, seed ${seed}: ${message}`),
    ...(verdict === undefined ? [] : [`Verdict: ${verdict.result}. ${verdict.claim}`]),
    `Report: ${plan.folder}/report.html, report.md, results.json`,
  ];
}
