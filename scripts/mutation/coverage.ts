/** Which tests reach which mutants, measured once per test file and kept until something changes. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileRecord, TestRuns } from "./test-runs.js";
import { killWorker } from "./warm-worker.js";

/** A test file that passes without mutants, with the source files that it loads. */
export interface Coverage extends FileRecord {
  readonly loads: readonly string[];
}

export const hashText = (text: string) => createHash("sha256").update(text).digest("hex");

/** Changes with every file of a folder. */
export function hashFolder(folder: string): string {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !/(^|\/)(build|fixtures)\//.test(name))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  return hashText(
    paths
      .sort()
      .map((path) => path + readFileSync(path, "utf8"))
      .join("\n"),
  );
}

/** A folder of JSON files: what need not be worked out again. */
export class Memory<Value> {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  get(key: string): Value | undefined {
    const path = join(this.folder, `${key}.json`);
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Value) : undefined;
  }

  set(key: string, value: Value): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, `${key}.json`), JSON.stringify(value));
  }
}

/** @param stamp of all sources and of what tests share */
export async function measureCoverage(
  runs: TestRuns,
  root: string,
  files: readonly string[],
  memory: Memory<Coverage>,
  stamp: string,
): Promise<Coverage[]> {
  const found: Coverage[] = [];
  // What modules do while they are loaded shows in a process that has not loaded them yet.
  await killWorker();
  for (const file of files) {
    const key = hashText(stamp + file + readFileSync(join(root, file), "utf8"));
    const known = memory.get(key);
    if (known !== undefined) {
      found.push(known);
      continue;
    }
    const { files: records, unhandled, isLost } = await runs.run(-1, [{ file }], 1_200_000);
    const record = records[0];
    const failed = record?.tests.filter(({ passed }) => !passed).map(({ name }) => name) ?? [];
    const error = record?.error ?? unhandled[0] ?? (isLost ? "did not end" : undefined);
    if (record === undefined || error !== undefined) {
      console.log(`left out: ${file}: ${error ?? "did not run"}`);
      continue;
    }
    for (const name of failed) console.log(`left out: ${file}: ${name} fails without a mutant`);
    const tests = record.tests.filter(({ passed }) => passed);
    const coverage = { ...record, tests, loads: runs.loadedBy(file) };
    memory.set(key, coverage);
    found.push(coverage);
  }
  return found;
}
