/**
 * Plants mistakes in the losses, one at a time in a copy of the repository, and runs the tests of the
 * loss: each must fail. Writes the table of docs/losses.md between `<!-- mutants -->` and `<!-- end -->`.
 *
 *     npm run mutate:losses                     all of them, in some twenty minutes
 *     npm run mutate:losses -- redi dpo         some losses; the other rows of the table stay
 *     npm run mutate:losses -- list             counts the mutants, runs nothing
 *
 * Results are remembered until a source or a test changes, so that a stopped run goes on where it was.
 * Exit code 1 if a mutant survives, or breaks the program instead of making it wrong.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lossDefinitions } from "../../src/losses/index.js";
import { listMutants } from "../mutants/lists.js";
import { type Mutant, type MutantKind, mutantKinds } from "../mutants/mutant.js";
import { pairMutants } from "../mutants/pairs.js";
import { representationMutants } from "../mutants/representations.js";
import { sampleMutants } from "../mutants/samples.js";
import { tokenMutants } from "../mutants/token.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = join(root, "docs/losses.md");
const cachePath = join(root, "node_modules/.cache/pupil-mutants.json");
const mutants = [
  ...tokenMutants,
  ...sampleMutants,
  ...pairMutants,
  ...listMutants,
  ...representationMutants,
];
/** In the order of the docs; what averages them last. */
const names = [...lossDefinitions.map(({ name }) => name as string), "averages"];

/** The tests of one loss by its name, and all unit tests of losses for what those do not see. */
const ownTests = [
  ...["tests/parity/losses.test.ts", "tests/parity/masked-losses.test.ts"],
  "tests/conformance/losses.test.ts",
];
const unitTests = ["tests/unit/losses"];

/** Without what the tests of other parts need to be built first. A slow machine must not look like a kill. */
const vitestConfig = `export default {
  test: { setupFiles: ["tests/setup/runner/guards.ts"], testTimeout: 600_000, maxWorkers: 2 },
};
`;

type Verdict = "killed" | "survived" | "broken";
interface Judgement {
  readonly verdict: Verdict;
  /** The test that noticed. */
  readonly by: string;
}

interface TestRun {
  readonly passed: boolean;
  /** Of the tests that passed. */
  readonly count: number;
  /** The first test that failed, with its message; absent if none did or none could run. */
  readonly failed?: { readonly title: string; readonly message: string };
}

async function main(words: readonly string[]): Promise<void> {
  const asked = words.filter((word) => word !== "list");
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`No such loss: ${unknown.join(", ")}.`);
  const losses = asked.length > 0 ? asked : names;
  const without = names.filter((name) => !mutants.some(({ loss }) => loss === name));
  if (without.length > 0) throw new Error(`No mutants for ${without.join(", ")}.`);
  checkPlaces();
  if (words.includes("list")) return console.log(`${mutants.length} mutants of ${names.length}.`);

  const copy = copyRepository();
  const stamp = stampOf(["src", "tests/parity", "tests/conformance", "tests/unit/losses"]);
  const cache = readCache();
  const wrong: string[] = [];
  const verdicts = new Map<Mutant, Verdict>();
  try {
    const sound = await runTests(copy, ownTests, losses);
    const ranAll = sound.count >= 20 * losses.filter((name) => name !== "averages").length;
    if (!sound.passed || !ranAll) throw new Error(`Without mutants: ${JSON.stringify(sound)}`);
    for (const mutant of mutants.filter(({ loss }) => losses.includes(loss))) {
      const key = hash(stamp + JSON.stringify(mutant));
      const known = cache[key];
      const { verdict, by } = known ?? (await judge(mutant, copy));
      if (known === undefined) {
        cache[key] = { verdict, by };
        writeCache(cache);
      }
      verdicts.set(mutant, verdict);
      const line = `${verdict.padEnd(8)} ${mutant.loss}: ${mutantKinds[mutant.kind]}: ${oneLine(mutant.from)} → ${oneLine(mutant.to) || "(nothing)"}`;
      console.log(by === "" ? line : `${line}   [${by}]`);
      if (verdict !== "killed") wrong.push(line);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  writeTable(losses, verdicts);
  const killed = [...verdicts.values()].filter((verdict) => verdict === "killed").length;
  console.log(`${killed} of ${verdicts.size} mutants killed.`);
  for (const line of wrong) console.log(line);
  if (wrong.length > 0) process.exitCode = 1;
}

/** Every mutant must find its place, once, also after the sources have changed. */
function checkPlaces(): void {
  const lost = mutants.flatMap(({ file, from }) => {
    const count = readFileSync(join(root, "src", file), "utf8").split(from).length - 1;
    return count === 1 ? [] : [`src/${file} has ${count} times: ${from}`];
  });
  if (lost.length > 0) throw new Error(`Adjust scripts/mutants:\n${lost.join("\n")}`);
}

function copyRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), "pupil-mutants-"));
  for (const name of ["src", "tests", "build", "package.json", "tsconfig.json"]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  writeFileSync(join(copy, "vitest.config.mjs"), vitestConfig);
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  return copy;
}

async function judge(mutant: Mutant, copy: string): Promise<Judgement> {
  const path = join(copy, "src", mutant.file);
  const original = readFileSync(path, "utf8");
  writeFileSync(
    path,
    original.replace(mutant.from, () => mutant.to),
  );
  try {
    let run = await runTests(copy, ownTests, [mutant.loss]);
    // On a busy machine a worker may not start: that says nothing about the mutant.
    if (!run.passed && !run.failed) run = await runTests(copy, ownTests, [mutant.loss]);
    if (run.passed) run = await runTests(copy, unitTests);
    if (run.passed) return { verdict: "survived", by: "" };
    // A program that does not run any more is no mistake that anybody would ship.
    const { title, message } = run.failed ?? { title: "no test ran", message: "" };
    const isBroken = !run.failed || /ReferenceError|SyntaxError|is not a function/.test(message);
    return { verdict: isBroken ? "broken" : "killed", by: title };
  } finally {
    writeFileSync(path, original);
  }
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** @param losses only tests with such a loss in their title, `<loss> {options}` */
async function runTests(
  copy: string,
  files: readonly string[],
  losses?: readonly string[],
): Promise<TestRun> {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const filter = losses === undefined ? [] : ["-t", `(^|[ '])(${losses.join("|")}) \\{`];
  const output = ["--reporter=json", `--outputFile=${report}`];
  const words = [vitest, "run", ...files, "--bail=1", ...filter, ...output];
  const child = spawn(process.execPath, words, { cwd: copy, stdio: "ignore", timeout: 900_000 });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  if (!existsSync(report)) return { passed: false, count: 0 };
  const { testResults, numPassedTests: count } = JSON.parse(
    readFileSync(report, "utf8"),
  ) as VitestReport;
  if (code === 0) return { passed: true, count };
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === "failed");
  if (failed === undefined) return { passed: false, count };
  const { fullName: title, failureMessages } = failed;
  return { passed: false, count, failed: { title, message: failureMessages.join("\n") } };
}

const oneLine = (text: string) => text.trim().replace(/\s+/g, " ");

type Cache = Record<string, Judgement>;

function readCache(): Cache {
  return existsSync(cachePath) ? (JSON.parse(readFileSync(cachePath, "utf8")) as Cache) : {};
}

function writeCache(cache: Cache): void {
  mkdirSync(join(cachePath, ".."), { recursive: true });
  writeFileSync(cachePath, JSON.stringify(cache));
}

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

/** Changes with every file of these folders. */
function stampOf(folders: readonly string[]): string {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((name) => join(root, folder, name))
      .filter((path) => statSync(path).isFile()),
  );
  return hash(
    files
      .sort()
      .map((path) => path + readFileSync(path, "utf8"))
      .join("\n"),
  );
}

/** Replaces the rows of these losses and keeps the others. */
function writeTable(losses: readonly string[], verdicts: ReadonlyMap<Mutant, Verdict>): void {
  const pattern = /(<!-- mutants -->\n)([\s\S]*?)(<!-- end -->)/;
  const text = readFileSync(page, "utf8");
  const old = pattern.exec(text)?.[2];
  if (old === undefined) return console.log("docs/losses.md has no <!-- mutants --> table.");
  const kept = new Map(
    old.split("\n").flatMap((line) => {
      const name = /^\| `([\w-]+)` /.exec(line)?.[1];
      return name === undefined ? [] : [[name, line] as const];
    }),
  );
  const kinds = Object.keys(mutantKinds) as MutantKind[];
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rows = names.flatMap((name) => {
    if (!losses.includes(name)) return kept.get(name) ?? [];
    const cells = kinds.map((kind) => cellOf(name, kind, verdicts));
    return row([`\`${name}\``, ...cells]);
  });
  const header = [
    row(["Loss", ...kinds.map((kind) => mutantKinds[kind])]),
    row(["---", ...kinds.map(() => "---")]),
  ];
  const table = `${[...header, ...rows].join("\n")}\n`;
  writeFileSync(
    page,
    text.replace(pattern, (_all, start: string, _old, end: string) => start + table + end),
  );
}

/** `2/2`: killed of planted; a dash where none applies. */
function cellOf(name: string, kind: MutantKind, verdicts: ReadonlyMap<Mutant, Verdict>): string {
  const own = [...verdicts].filter(([{ loss, kind: k }]) => loss === name && k === kind);
  const killed = own.filter(([, verdict]) => verdict === "killed").length;
  return own.length === 0 ? "–" : `${killed}/${own.length}`;
}

await main(process.argv.slice(2));
