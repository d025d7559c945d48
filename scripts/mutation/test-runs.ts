/** Runs tests with one mutant switched on, or none, in a warm process. */
import { relative } from "node:path";
import type { ViteUserConfig } from "vitest/config";
import { createVitest, type TestModule, type TestSpecification, type Vitest } from "vitest/node";
import config from "../../vitest.config.js";
import type { Mutant } from "./mutants.js";
import { switchMutants } from "./switch-mutants.js";
import { killWorker, warmPool } from "./warm-worker.js";

export interface TestRecord {
  readonly id: string;
  readonly name: string;
  readonly milliseconds: number;
  readonly passed: boolean;
  readonly reached: readonly number[];
}

export interface FileRecord {
  /** Path from the repository root. */
  readonly file: string;
  readonly tests: readonly TestRecord[];
  /** While the file and its imports were loaded; and in `beforeAll` and the like. */
  readonly reachedLoading: readonly number[];
  readonly reachedBetween: readonly number[];
  readonly error: string | undefined;
}

/** What of which test files is run; all tests of a file without `testIds`. */
export interface TestChoice {
  readonly file: string;
  readonly testIds?: readonly string[];
}

export interface RunResult {
  readonly files: readonly FileRecord[];
  /** The process was killed, or died. */
  readonly isLost: boolean;
  readonly unhandled: readonly string[];
}

export class TestRuns implements AsyncDisposable {
  private runs = 0;

  private readonly root: string;
  private readonly vitest: Vitest;

  private constructor(root: string, vitest: Vitest) {
    this.root = root;
    this.vitest = vitest;
  }

  /** @param mutants all that are compiled in, by their numbers */
  static async start(root: string, mutants: readonly Mutant[]): Promise<TestRuns> {
    const numbered = new Map<string, Map<number, Mutant>>();
    for (const [i, mutant] of mutants.entries()) {
      const own = numbered.get(mutant.file) ?? new Map<number, Mutant>();
      numbered.set(mutant.file, own.set(i, mutant));
    }
    const plugin = {
      name: "pupil-mutants",
      enforce: "pre" as const,
      transform(text: string, id: string) {
        const own = numbered.get(relative(root, id.split("?")[0] ?? id));
        return own === undefined ? undefined : switchMutants(text, own);
      },
    };
    const test: ViteUserConfig["test"] = {
      ...config.test,
      ...{ watch: false, isolate: false, fileParallelism: false, maxWorkers: 1, pool: warmPool },
      // A machine that stands still for a minute must not look like a kill; what hangs has a limit of ours.
      testTimeout: 100_000,
      setupFiles: [`${root}/scripts/mutation/setup.ts`, `${root}/tests/setup/runner/guards.ts`],
      reporters: [{}],
      sequence: { sequencer: InOrder },
    };
    const vitest = await createVitest(
      "test",
      { root, config: false, watch: false },
      {
        ...config,
        plugins: [plugin],
        cacheDir: `${root}/node_modules/.cache/pupil-mutation-vite`,
        test,
      },
    );
    await vitest.standalone();
    return new TestRuns(root, vitest);
  }

  async testFiles(folders: readonly string[]): Promise<string[]> {
    const found = await this.vitest.globTestSpecifications([...folders]);
    return found.map(({ moduleId }) => relative(this.root, moduleId)).sort();
  }

  /** The source files that a test file loads, directly or not; known after it has run. */
  loadedBy(file: string): string[] {
    const graph = this.vitest.vite.environments.ssr?.moduleGraph;
    const seen = new Set<string>();
    const queue = [`${this.root}/${file}`];
    for (const path of queue) {
      for (const module of graph?.getModulesByFile(path) ?? []) {
        for (const { file: next } of module.importedModules) {
          if (next === null || seen.has(next) || next.includes("node_modules")) continue;
          seen.add(next);
          queue.push(next);
        }
      }
    }
    return [...seen].map((path) => relative(this.root, path)).sort();
  }

  /** @param limitMs after which the process is killed */
  async run(mutant: number, choices: readonly TestChoice[], limitMs: number): Promise<RunResult> {
    this.vitest.provide("mutant", mutant);
    this.vitest.provide("mutantRun", this.runs++);
    this.vitest.state.clearErrors();
    // Results of earlier runs would be returned with those of this one.
    this.vitest.state.filesMap.clear();
    this.vitest.state.idMap.clear();
    const project = this.vitest.getRootProject();
    const specifications = choices.map(({ file, testIds }) =>
      project.createSpecification(
        `${this.root}/${file}`,
        testIds === undefined ? {} : { testIds: [...testIds] },
      ),
    );
    let isLost = false;
    const timer = setTimeout(() => {
      isLost = true;
      void killWorker();
    }, limitMs);
    try {
      const { testModules, unhandledErrors } =
        await this.vitest.runTestSpecifications(specifications);
      const files = testModules.map((module) => this.record(module));
      return { files, isLost, unhandled: unhandledErrors.map(String) };
    } catch (error) {
      await killWorker();
      return { files: [], isLost: true, unhandled: [String(error)] };
    } finally {
      clearTimeout(timer);
    }
  }

  private record(module: TestModule): FileRecord {
    const tests = [...module.children.allTests()].flatMap((test) => {
      const { state } = test.result();
      if (state !== "passed" && state !== "failed") return [];
      const milliseconds = test.diagnostic()?.duration ?? 0;
      const { reached = [] } = test.meta();
      return [
        { id: test.id, name: test.fullName, milliseconds, passed: state === "passed", reached },
      ];
    });
    const errors = [module, ...module.children.allSuites()].flatMap((suite) => suite.errors());
    return {
      file: relative(this.root, module.moduleId),
      tests,
      reachedLoading: module.meta().reachedLoading ?? [],
      reachedBetween: module.meta().reachedBetween ?? [],
      error: errors[0]?.message,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await killWorker();
    await this.vitest.close();
  }
}

/** Test files run in the order in which they are asked for. */
class InOrder {
  sort(files: TestSpecification[]): TestSpecification[] {
    return files;
  }
  shard(files: TestSpecification[]): TestSpecification[] {
    return files;
  }
}
