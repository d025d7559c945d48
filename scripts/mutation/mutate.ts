/**
 * Plants mistakes outside the losses, one at a time, and runs the tests that reach the place: one of
 * them should fail. Prints a row per folder for docs/reliability.md, and what survived.
 *
 *     npm run mutate                            60 mutants of every folder, drawn by seed 1
 *     npm run mutate -- optim data seed=2       some folders, another draw
 *     npm run mutate -- models count=200        more of them
 *     npm run mutate -- models list             only says what would be planted
 *     npm run mutate -- teachers own            by tests/unit/teachers alone, which is quicker
 *
 * All mutants are compiled in behind switches (scripts/mutation), so that one costs what its tests cost
 * in a process that stays warm. Results are remembered until a source, or the test that failed, changes.
 * scripts/mutation/equivalent.jsonl lists the mutants that are no mistakes, with the reason.
 * Exit code 1 if fewer than 95 % of a folder's mutants are killed or listed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { type Coverage, hashFolder, hashText, Memory, measureCoverage } from "./coverage.js";
import { judge, type Verdict } from "./judge.js";
import { findMutants, type Mutant } from "./mutants.js";
import { TestRuns } from "./test-runs.js";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const cache = join(root, "node_modules/.cache/pupil-mutation");

interface Folder {
  /** What of it is meant; the losses, ops and backends have checks of their own. */
  readonly sources: RegExp;
  /** The tests that should notice: a folder's own, not those that happen to come by. */
  readonly tests: readonly string[];
}

const folders: Readonly<Record<string, Folder>> = {
  optim: {
    sources: /^src\/optim\//,
    tests: ["tests/unit/optim/"],
  },
  rollouts: {
    sources: /^src\/rollouts\//,
    tests: ["tests/unit/rollouts/"],
  },
  trainers: {
    sources: /^src\/trainers\//,
    tests: ["tests/unit/trainers/", "tests/invariants/"],
  },
  data: {
    sources: /^src\/data\/(alignment|batches|chat|readers|rows|store|text)\//,
    tests: [
      ...["alignment", "batches", "chat", "readers", "rows", "store", "text"].map(
        (name) => `tests/unit/data/${name}/`,
      ),
      "tests/parity/chat-templates",
    ],
  },
  models: {
    sources: /^src\/models\/(checkpoints|decoder|lora)\//,
    tests: ["tests/unit/models/", "tests/parity/", "tests/invariants/lora"],
  },
  teachers: {
    sources: /^src\/teachers\//,
    tests: ["tests/unit/teachers/", "tests/unit/node/recording/", "tests/unit/node/teachers/"],
  },
  node: {
    sources: /^src\/node\/(files|modules|runs)\//,
    tests: [
      ...["tests/unit/node/files/", "tests/unit/node/modules/", "tests/unit/node/runs/"],
      ...["tests/invariants/resume", "tests/invariants/lora"],
    ],
  },
};

interface Equivalent {
  readonly file: string;
  readonly line: string;
  readonly what: string;
  /** Which of the same mutants of such a line; all of them if absent. */
  readonly nth?: number;
  readonly why: string;
}

async function main(words: readonly string[]): Promise<void> {
  const { asked, seed, count } = readWords(words);
  const source = hashFolder(join(root, "src"));
  const own = ["mutants.ts", "switch-mutants.ts", "setup.ts"].map((name) =>
    readFileSync(join(root, "scripts/mutation", name), "utf8"),
  );
  const stamp = hashText(source + own.join(""));
  // Those of other folders would make every test slower.
  const mutants = listMutants(stamp).filter(({ file }) =>
    asked.some((folder) => folders[folder]?.sources.test(file)),
  );
  if (words.includes("list")) return list(mutants, asked, seed, count);
  const equivalents = readEquivalents();

  await using runs = await TestRuns.start(root, mutants);
  const verdicts = new Memory<Verdict>(join(cache, "verdicts"));
  const rows: string[] = [];
  for (const folder of asked) {
    const { tests: all } = folders[folder] as Folder;
    const testFolders = words.includes("own") ? [`tests/unit/${folder}/`] : all;
    const coverage = await measureCoverage(
      runs,
      root,
      await runs.testFiles(testFolders),
      new Memory<Coverage>(join(cache, "coverage")),
      stamp + asked.join() + hashFolder(join(root, "tests/setup")),
    );
    const total = coverage.reduce((sum, { tests }) => sum + tests.length, 0);
    if (total === 0) throw new Error(`No test of ${folder} passes without a mutant.`);
    console.log(`${folder}: ${total} tests in ${coverage.length} files.`);
    const drawn = draw(mutants, folder, seed, count);
    const counts = { killed: 0, equivalent: 0, survived: 0 };
    for (const i of drawn) {
      const mutant = mutants[i] as Mutant;
      const { by, killed, tests } = await known(verdicts, stamp, mutant, coverage, () =>
        judge(runs, i, mutant, coverage),
      );
      const reason = equivalents.find((entry) => isSame(entry, mutant))?.why;
      const verdict = killed ? "killed" : reason !== undefined ? "equivalent" : "survived";
      counts[verdict] += 1;
      const { file, line, what, nth } = mutant;
      console.log(
        `${verdict.padEnd(10)} ${file}: ${line}   [${what}]#${nth}   ${by} (${tests} tests)`,
      );
      if (killed && reason !== undefined) console.log(`           but it is listed: ${reason}`);
    }
    const share = (counts.killed + counts.equivalent) / drawn.length;
    const { killed, equivalent, survived } = counts;
    rows.push(
      `| \`${folder}\` | ${drawn.length} | ${killed} | ${equivalent} | ${survived} | ${(100 * share).toFixed(1)} % |`,
    );
    if (share < 0.95) process.exitCode = 1;
  }
  console.log(`\nSeed ${seed}:\n`);
  console.log("| Folder | Drawn | Killed | Equivalent | Survived | Killed or equivalent |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const row of rows) console.log(row);
}

/** Says what would be planted. */
function list(
  mutants: readonly Mutant[],
  asked: readonly string[],
  seed: number,
  count: number,
): void {
  for (const folder of asked) {
    const size = mutants.filter(({ file }) => folders[folder]?.sources.test(file)).length;
    console.log(`${folder}: ${count} of ${size}`);
    for (const i of draw(mutants, folder, seed, count)) {
      const { file, line, what } = mutants[i] as Mutant;
      console.log(`  ${file}: ${line}   [${what}]`);
    }
  }
}

function readWords(words: readonly string[]): { asked: string[]; seed: number; count: number } {
  const options = { seed: 1, count: 60 };
  const asked: string[] = [];
  for (const word of words) {
    const [name, value] = word.split("=");
    if (value !== undefined && (name === "seed" || name === "count")) options[name] = Number(value);
    else if (word in folders) asked.push(word);
    else if (word === "list" || word === "own") continue;
    else
      throw new Error(`Not a folder, seed= or count=: ${word}. Folders: ${Object.keys(folders)}`);
  }
  return { ...options, asked: asked.length > 0 ? asked : Object.keys(folders) };
}

function listMutants(stamp: string): Mutant[] {
  const memory = new Memory<Mutant[]>(join(cache, "mutants"));
  const known = memory.get(stamp);
  if (known !== undefined) return known;
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.json"), {}, host);
  if (config === undefined) throw new Error("tsconfig.json cannot be read.");
  const files = config.fileNames.filter((path) => path.startsWith(`${root}/src/`));
  const program = ts.createProgram(files, config.options);
  const paths = files.map((path) => path.slice(root.length + 1)).sort();
  const all = Object.values(folders);
  const found = findMutants(
    program,
    root,
    paths.filter((path) => all.some(({ sources }) => sources.test(path))),
  );
  memory.set(stamp, found);
  return found;
}

/** By a hash of seed and mutant: what stays in the source stays in the draw. */
function draw(mutants: readonly Mutant[], folder: string, seed: number, count: number): number[] {
  return [...mutants.entries()]
    .filter(([, { file }]) => folders[folder]?.sources.test(file))
    .map(([i, mutant]) => [i, hashText(`${seed} ${nameOf(mutant)}`)] as const)
    .sort(([, a], [, b]) => (a < b ? -1 : 1))
    .slice(0, count)
    .map(([i]) => i);
}

const nameOf = ({ file, line, what, nth }: Mutant) => [file, line, what, nth].join("|");

/** A kill stays one while the test that did it stays; a survivor while no test changes. */
async function known(
  memory: Memory<Verdict>,
  stamp: string,
  mutant: Mutant,
  coverage: readonly Coverage[],
  work: () => Promise<Verdict>,
): Promise<Verdict> {
  const hashOf = (file: string) => hashText(readFileSync(join(root, file), "utf8"));
  const killedKey = hashText(`${stamp} killed ${nameOf(mutant)}`);
  const killed = memory.get(killedKey);
  if (killed?.file !== undefined) {
    const entry = memory.get(hashText(killedKey + hashOf(killed.file)));
    if (entry !== undefined) return entry;
  }
  const tests = hashText(coverage.map(({ file }) => file + hashOf(file)).join("\n"));
  const key = hashText(`${stamp} ${tests} ${nameOf(mutant)}`);
  const same = memory.get(key);
  if (same !== undefined) return same;
  const verdict = await work();
  memory.set(key, verdict);
  if (verdict.killed && verdict.file !== undefined) {
    memory.set(killedKey, verdict);
    memory.set(hashText(killedKey + hashOf(verdict.file)), verdict);
  }
  return verdict;
}

function readEquivalents(): Equivalent[] {
  const path = join(root, "scripts/mutation/equivalent.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Equivalent);
}

const isSame = (entry: Equivalent, { file, line, what, nth }: Mutant): boolean =>
  entry.file === file &&
  entry.line === line &&
  entry.what === what &&
  (entry.nth === undefined || entry.nth === nth);

await main(process.argv.slice(2));
