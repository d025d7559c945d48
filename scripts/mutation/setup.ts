/**
 * In the process that runs the tests, before every test file: switches the mutant on that this run is
 * about, and notes per test which places of mutants it reached (`task.meta.reached`).
 */
import { beforeAll, beforeEach, inject } from "vitest";
import { switchName } from "./switch-mutants.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Number of the active mutant, −1 for none; the run's own number. */
    readonly mutant: number;
    readonly mutantRun: number;
  }
  interface TaskMeta {
    reached?: readonly number[];
    /** On a file: what was reached while it and its imports were loaded. */
    reachedLoading?: readonly number[];
    /** On a file: what was reached in its `beforeAll` and the like. */
    reachedBetween?: readonly number[];
  }
}

interface Switches {
  active: number;
  run: number;
  /** A test has failed in this run, which is all that we want to know. */
  isKilled: boolean;
  reached: Set<number>;
  at(mutant: number): boolean;
}

const shared = globalThis as unknown as Record<string, Switches>;
const switches = (shared[switchName] ??= {
  ...{ active: -1, run: -1, isKilled: false, reached: new Set<number>() },
  at(mutant) {
    this.reached.add(mutant);
    return mutant === this.active;
  },
});

switches.active = inject("mutant");
if (switches.run !== inject("mutantRun")) switches.isKilled = false;
switches.run = inject("mutantRun");
switches.reached.clear();

/** What was reached since this was last asked. */
function takeReached(): number[] {
  const reached = [...switches.reached];
  switches.reached.clear();
  return reached;
}

beforeAll(({}, suite) => {
  suite.file.meta.reachedLoading = takeReached();
});

beforeEach(({ task, skip, onTestFailed, onTestFinished }) => {
  if (switches.isKilled) skip();
  const { meta } = task.file;
  meta.reachedBetween = [...new Set([...(meta.reachedBetween ?? []), ...takeReached()])];
  onTestFailed(() => {
    switches.isKilled = true;
  });
  onTestFinished(() => {
    task.meta.reached = takeReached();
  });
});
