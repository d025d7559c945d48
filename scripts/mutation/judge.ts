/** Whether a test notices a mutant. */
import type { Coverage } from "./coverage.js";
import type { Mutant } from "./mutants.js";
import type { RunResult, TestChoice, TestRuns } from "./test-runs.js";
import { killWorker } from "./warm-worker.js";

export interface Verdict {
  readonly killed: boolean;
  /** The test that failed, or what else happened; with its file. */
  readonly by: string;
  readonly file?: string;
  /** How many tests reach the place. */
  readonly tests: number;
}

interface Reaching extends TestChoice {
  readonly count: number;
  readonly milliseconds: number;
}

/** The tests that reach a mutant: those of its own folder first, then the quick ones. */
export function testsOf(i: number, mutant: Mutant, coverage: readonly Coverage[]): Reaching[] {
  const isStatic = isLoaded(i, coverage);
  const own = mutant.file.replace(/^src\//, "tests/unit/").replace(/[^/]+$/, "");
  const found = coverage.flatMap(({ file, tests, reachedBetween, loads }) => {
    const isWhole = isStatic ? loads.includes(mutant.file) : reachedBetween.includes(i);
    const reaching = isWhole ? tests : tests.filter(({ reached }) => reached.includes(i));
    if (reaching.length === 0) return [];
    const milliseconds = reaching.reduce((sum, test) => sum + test.milliseconds, 0);
    // Tests that are made of what a mutant changes may have other numbers under it.
    const testIds = isWhole ? {} : { testIds: reaching.map(({ id }) => id) };
    return [{ file, count: reaching.length, milliseconds, ...testIds }];
  });
  const rank = ({ file, milliseconds }: Reaching) =>
    milliseconds + (file.startsWith(own) ? -1e6 : 0);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** Such a place is reached once in a process, while modules are loaded. */
const isLoaded = (i: number, coverage: readonly Coverage[]): boolean =>
  coverage.some(({ reachedLoading }) => reachedLoading.includes(i));

export async function judge(
  runs: TestRuns,
  i: number,
  mutant: Mutant,
  coverage: readonly Coverage[],
): Promise<Verdict> {
  const reaching = testsOf(i, mutant, coverage);
  const tests = reaching.reduce((sum, { count }) => sum + count, 0);
  if (tests === 0) return { killed: false, by: "no test reaches it", tests };
  const isStatic = isLoaded(i, coverage);
  if (isStatic) await killWorker();
  try {
    // A few files first: what is killed is mostly killed by them, and a file costs also where it skips.
    for (const part of [reaching.slice(0, 2), reaching.slice(2, 10), reaching.slice(10)]) {
      if (part.length === 0) continue;
      const first = await runs.run(i, part, limitOf(part));
      // A machine that stood still for a while is no hang.
      const result = first.isLost ? await runs.run(i, part, 3 * limitOf(part)) : first;
      const noticed = noticedBy(result);
      if (noticed === undefined) continue;
      if (isStatic || result.isLost || (await passesWithout(runs, noticed.file, part))) {
        return { killed: true, ...noticed, tests };
      }
      // Either the mutant has left its marks in the process, or the test fails there the second time anyhow.
      await killWorker();
      const again = noticedBy(await runs.run(i, part, limitOf(part)));
      if (again !== undefined) return { killed: true, ...again, tests };
    }
    return { killed: false, by: "", tests };
  } finally {
    if (isStatic) await killWorker();
  }
}

/** Generous, for a machine that does other things too: only what hangs should need it. */
const limitOf = (part: readonly Reaching[]): number =>
  40_000 + 10 * part.reduce((sum, { milliseconds }) => sum + milliseconds, 0);

function noticedBy({
  files,
  isLost,
  unhandled,
}: RunResult): { by: string; file?: string } | undefined {
  for (const { file, tests, error } of files) {
    const failed = tests.find(({ passed }) => !passed);
    if (failed !== undefined) return { by: failed.name, file };
    if (error !== undefined) return { by: error, file };
  }
  if (isLost) return { by: "the process hung or died" };
  return unhandled[0] === undefined ? undefined : { by: unhandled[0] };
}

/** Whether the tests of a file pass in the same process without the mutant. */
async function passesWithout(
  runs: TestRuns,
  file: string | undefined,
  part: readonly Reaching[],
): Promise<boolean> {
  const same = part.filter((choice) => choice.file === file);
  return noticedBy(await runs.run(-1, same, limitOf(same))) === undefined;
}
