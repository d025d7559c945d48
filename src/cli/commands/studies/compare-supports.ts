import { startBackend } from "../../../backend/index.js";
import {
  compareRunSupports,
  nodePlatform,
  resolveSupports,
  type SupportReport,
  toJson,
  writeFileAtomic,
} from "../../../node/index.js";
import type { Estimate, GradientStatistics } from "../../../trainers/index.js";
import { formatNumber } from "../../terminal/format.js";
import { writeLine, writeText } from "../../terminal/terminal.js";

/** `pupil compare-supports <config.json | run folder> [positions=64 draws=100 k=1,4,16,64 gradients=both json=<file>] [key=value …]`. */
export async function compareSupportsCommand(path: string, words: string[]): Promise<void> {
  const request = await resolveSupports(path, words);
  const backend = await startBackend(request.config.backend, { platform: nodePlatform });
  writeLine(process.stderr, backend.line);
  const report = await compareRunSupports(request);
  writeText(process.stdout, supportTable(report));
  if (request.json === undefined) return;
  await writeFileAtomic(request.json, `${toJson(report, 2)}\n`);
  writeLine(process.stderr, `Written to ${request.json}.`);
}

/** The report as a Markdown table, one row for each way and k. */
export function supportTable(report: SupportReport): string {
  const { teacher, student, seed, positions, vocabSize, forwardKl, reverseKl, teacherMass } =
    report;
  const { gradients, numParameters } = report;
  const draws = Math.max(...report.rows.map((row) => row.draws));
  const mass = Object.entries(teacherMass).map(([k, share]) => `${k}: ${formatNumber(share)}`);
  const [ofLogits, ofParameters] = [gradients !== "parameters", gradients !== "logits"];
  const lines = report.rows.map(({ way, direction, k, parameters, ...logits }) => {
    const cells = [
      ...(ofLogits ? cellsOf(logits) : []),
      ...(ofParameters && parameters ? cellsOf(parameters) : []),
    ];
    return `| ${[direction, way, k, ...cells].join(" | ")} |`;
  });
  const names = ["bias²", "variance", "cosine"];
  const columns = [...(ofLogits ? names : []), ...(ofParameters ? names.map((n) => `${n} θ`) : [])];
  const what = [
    ...(ofLogits ? ["the student's logits"] : []),
    ...(ofParameters ? [`its ${formatNumber(numParameters)} parameters (θ)`] : []),
  ];
  return [
    `Teacher: ${teacher}. Student: ${student}. ${positions} held-out positions, ${vocabSize} tokens, seed ${seed}, ${draws} draws.`,
    `KL(teacher ‖ student) ${formatNumber(forwardKl)}, KL(student ‖ teacher) ${formatNumber(reverseKl)} nats. Teacher's mass on its top k: ${mass.join(", ")}.`,
    "",
    `Gradient with respect to ${what.join(" and to ")}; bias² and variance as shares of the squared length of the full-vocabulary gradient; ± standard error over draws.`,
    "",
    `| KL | what is said | k | ${columns.join(" | ")} |`,
    `| --- | --- | ${["k", ...columns].map(() => "---:").join(" | ")} |`,
    ...lines,
    "",
  ].join("\n");
}

function cellsOf({ biasSquared, variance, cosine }: GradientStatistics): string[] {
  return [biasSquared, variance, cosine].map(estimate);
}

function estimate({ value, standardError }: Estimate): string {
  const digits = (x: number) => (Math.abs(x) < 0.00005 ? "0" : formatNumber(Number(x.toFixed(4))));
  return standardError === 0 ? digits(value) : `${digits(value)} ± ${digits(standardError)}`;
}
