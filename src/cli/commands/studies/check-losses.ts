import { z } from "zod";
import { startBackend } from "../../../backend/index.js";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import {
  type CheckOutcome,
  describesItself,
  findLoss,
  type GoldenCase,
  type LossDefinition,
  lossDefinitions,
  parseGoldenCases,
  problemsOf,
  runGoldenCase,
  selfCheck,
  signIsUnknown,
} from "../../../losses/index.js";
import { loadLosses, nodePlatform, readJson } from "../../../node/index.js";
import { formatNumber } from "../../terminal/format.js";
import { writeLine } from "../../terminal/terminal.js";
import { backendField } from "../backend-field.js";

export const checkLossesSchema = z.strictObject({
  cases: z.string().optional().describe("JSON file of golden cases."),
  tolerance: z
    .number()
    .positive()
    .default(2e-4)
    .describe("Allowed error of a golden case, relative to the largest magnitude."),
  backend: backendField("cpu"),
});

const print = (line: string) => writeLine(process.stdout, line);

/**
 * `pupil check-losses [file] [cases=<file.json>] [tolerance=2e-4]`: the self-checks of the losses in
 * a file, or of the built-in ones when neither a file nor cases are given, and golden cases. Exit
 * code 1 if anything is wrong.
 */
export async function checkLossesCommand(
  first: string | undefined,
  words: readonly string[],
): Promise<void> {
  const isOption = first !== undefined && /^\w+=/.test(first);
  const file = isOption ? undefined : first;
  const overrides = isOption ? [first, ...words] : words;
  const options = parseConfig(checkLossesSchema, applyOverrides({}, overrides), "check-losses");
  const { cases, tolerance, backend } = options;
  const golden = cases === undefined ? [] : parseGoldenCases(await readJson(cases), cases);
  const own = file === undefined ? [] : await loadLosses(file);
  await startBackend(backend, { platform: nodePlatform });
  const checked: readonly LossDefinition[] =
    file === undefined && cases === undefined ? lossDefinitions : own;
  const failedChecks = await checkDefinitions(checked, file !== undefined);
  const failedCases = await checkCases(golden, own, cases ?? "", tolerance);
  if (failedChecks + failedCases > 0) process.exitCode = 1;
}

/** Prints every check in full, or one line for each configuration; returns how many failed. */
async function checkDefinitions(
  definitions: readonly LossDefinition[],
  inFull: boolean,
): Promise<number> {
  let failed = 0;
  let total = 0;
  for (const definition of definitions) {
    const problems = problemsOf(describesItself(definition));
    const unknown = signIsUnknown(definition);
    const described = { check: "describes itself and its options", problems, error: 0 };
    const examples = definition.examples.length > 0 ? definition.examples : [{}];
    for (const [i, example] of examples.entries()) {
      const outcomes = await selfCheck(definition, example);
      const all = i === 0 ? [described, ...outcomes] : outcomes;
      const wrong = all.filter((outcome) => outcome.problems.length > 0);
      const title = `${definition.name} ${JSON.stringify(example)}`;
      print(inFull ? title : summary(title, all, wrong.length));
      for (const outcome of inFull ? all : wrong) printOutcome(outcome);
      if (inFull && unknown !== undefined) print(`  note ${unknown}`);
      failed += wrong.length;
      total += all.length;
    }
  }
  if (total > 0) print(`${total - failed} of ${total} checks passed.`);
  return failed;
}

function summary(title: string, outcomes: readonly CheckOutcome[], failed: number): string {
  const gradient = outcomes.find(({ check }) => check.includes("central differences"));
  const others = outcomes.filter((outcome) => outcome !== gradient).map(({ error }) => error);
  const passed = `${outcomes.length - failed} of ${outcomes.length} checks`;
  const gradientError = `gradient within ${formatNumber(gradient?.error ?? 0)}`;
  const largest = `all else within ${formatNumber(Math.max(0, ...others))}`;
  return `${failed === 0 ? "ok  " : "FAIL"} ${title}: ${passed}, ${gradientError}, ${largest}`;
}

function printOutcome({ check, problems, error }: CheckOutcome): void {
  const measured = error > 0 ? `  (largest error ${formatNumber(error)})` : "";
  print(`  ${problems.length === 0 ? "ok  " : "FAIL"} ${check}${measured}`);
  for (const problem of problems) print(`         ${problem}`);
}

/** Prints the worst error of every case; returns how many are above the tolerance. */
async function checkCases(
  cases: readonly GoldenCase[],
  own: readonly LossDefinition[],
  source: string,
  tolerance: number,
): Promise<number> {
  let failed = 0;
  for (const [i, golden] of cases.entries()) {
    const { worstError, where } = await runCase(golden, own, `${source}: cases.${i}`);
    const isWithin = worstError <= tolerance;
    if (!isWithin) failed += 1;
    const title = `case ${i} ${golden.loss} ${JSON.stringify(golden.config ?? {})}`;
    const error = worstError.toExponential(2);
    print(`${isWithin ? "ok  " : "FAIL"} ${title}: worst error ${error} (${where})`);
  }
  if (cases.length > 0) {
    print(`${cases.length - failed} of ${cases.length} cases within ${tolerance}.`);
  }
  return failed;
}

async function runCase(golden: GoldenCase, own: readonly LossDefinition[], place: string) {
  try {
    return await runGoldenCase(findLoss(golden.loss, own), golden);
  } catch (error) {
    if (!(error instanceof PupilError)) throw error;
    // Its message holds field and remedy already.
    throw new PupilError(error.message, { field: place, value: error.value, cause: error });
  }
}
