import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { availableExecutors } from "../../src/node/native-kernels.js";
import { describeExecutor, type Executor } from "../../src/ops/index.js";
import { LineProcess } from "./child-process.js";
import type { ContestantInfo, LossForm } from "../results.js";
import {
  generation,
  lossPartSizes,
  modelOptions,
  optimization,
  scenarioNames,
} from "../scenarios.js";

/** How to start a contestant: `run` answers tasks, `firstStep` (if it trains) takes one step of training. */
export interface Contestant extends ContestantInfo {
  readonly run: readonly [string, ...string[]];
  readonly firstStep?: readonly [string, ...string[]];
}

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
// What this process was started with: it runs TypeScript.
const loader = process.execArgv;

/** `kind`: `stock`, or what executes our engine. */
function tfjs(id: string, label: string, threads: number, kind: "stock" | Executor): Contestant {
  const args = [kind, String(threads)];
  return {
    ...{ id, label, threads },
    run: [process.execPath, ...loader, path("tfjs-child.ts"), ...args],
    firstStep: [process.execPath, path("first-step.mjs"), ...args],
  };
}

/** jax-js on its wasm backend, and what is skipped of it: everything where it does not run. */
function findJax(): { contestants: Contestant[]; skipped: string } {
  const probe =
    'const { init } = await import("@jax-js/jax");' +
    'if (!(await init("wasm")).includes("wasm")) throw new Error("no wasm backend");';
  const args = ["--input-type=module", "--eval", probe];
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: path("."),
    encoding: "utf8",
  });
  if (status !== 0) {
    const reason = stderr.split("\n").find((line) => line.includes("Error")) ?? `status ${status}`;
    return { contestants: [], skipped: `jax-js (${reason.trim()}).` };
  }
  const run = [process.execPath, ...loader, path("jax-child.ts")] as const;
  const contestant = { id: "jax", label: "jax-js wasm, 1 thread", threads: 1 };
  return {
    contestants: [{ ...contestant, only: ["matmul"], run }],
    skipped:
      "jax-js in all but the matrix products: it has arrays and gradients, but neither the model nor " +
      "the optimizer; the same training step would be a second implementation of both.",
  };
}

/** The executor that is taken where nobody chooses is `pupil-<threads>`: the targets are about it. */
function pupil(executor: Executor, threads: number): Contestant {
  const isTaken = executor === availableExecutors()[0];
  const id = isTaken ? `pupil-${threads}` : `pupil-${executor}-${threads}`;
  return tfjs(id, `pupil, ${describeExecutor(executor)}, ${count(threads)}`, threads, executor);
}

export function hardwareCommand(threads: number): [string, ...string[]] {
  return [process.execPath, ...loader, path("../hardware/hardware.ts"), String(threads)];
}

export function lossPartCommand(
  form: LossForm,
  loss: string,
  vocabSize: number,
): [string, ...string[]] {
  const { rows, hiddenSize } = lossPartSizes;
  const args = [form, loss, ...[vocabSize, rows, hiddenSize].map(String)];
  return [process.execPath, ...loader, path("../loss-memory/loss-part.ts"), ...args];
}

/** Everything that the PyTorch side must know of the scenarios. */
export function torchSettings(): string {
  const models = Object.fromEntries(scenarioNames.map((name) => [name, modelOptions(name)]));
  return JSON.stringify({ models, optimization, generation });
}

function torch(python: string, threads: number): Contestant {
  const label = `PyTorch, ${count(threads)}`;
  const args = [String(threads), torchSettings()];
  return {
    ...{ id: `torch-${threads}`, label, threads },
    run: [python, path("../pytorch/torch_bench.py"), ...args],
    firstStep: [python, path("../pytorch/torch_first_step.py"), ...args],
  };
}

/**
 * Stock, jax-js if it runs, ours on every executor and, if it is there, PyTorch; the latter two with 1
 * and `threads` threads.
 */
export function findContestants(threads: number): {
  contestants: Contestant[];
  torchVersion?: string;
  skipped: string[];
} {
  const counts = [...new Set([1, threads])];
  const jax = findJax();
  const contestants = [
    tfjs("stock", "tfjs wasm, as it comes", 1, "stock"),
    ...jax.contestants,
    ...availableExecutors()
      // Nobody whose CPU has wider vectors runs these.
      .filter((executor, i) => i === 0 || executor !== "baseline")
      .reverse()
      .flatMap((executor) => counts.map((n) => pupil(executor, n))),
  ];
  const tried: string[] = [];
  for (const python of [process.env["PUPIL_PYTHON"], "python3"]) {
    if (python === undefined || python === "") continue;
    const probe = "import torch; print(torch.__version__)";
    const { status, stdout, stderr, error } = spawnSync(python, ["-c", probe], {
      encoding: "utf8",
    });
    if (status === 0) {
      contestants.push(...counts.map((n) => torch(python, n)));
      return { contestants, torchVersion: stdout.trim(), skipped: [jax.skipped] };
    }
    tried.push(`${python}: ${(error?.message ?? stderr).trim().split("\n").at(-1) ?? ""}`);
  }
  const remedy = "Set PUPIL_PYTHON to a Python that can import torch.";
  const skipped = [jax.skipped, `PyTorch (${tried.join("; ")}). ${remedy}`];
  return { contestants, skipped };
}

/** Starts contestants one after the other; each is ready when its promise is. */
export async function startContestants(
  contestants: readonly Contestant[],
): Promise<Map<string, LineProcess>> {
  const started = new Map<string, LineProcess>();
  for (const { id, run } of contestants) {
    const [command, ...args] = run;
    const child = new LineProcess(command, args);
    await child.next();
    started.set(id, child);
  }
  return started;
}

/** Wall time from starting a process to its report that one training step is done. */
export async function timeFirstStep({ id, firstStep }: Contestant): Promise<FirstStep> {
  if (firstStep === undefined) throw new Error(`${id} takes no step of training.`);
  const [command, ...args] = firstStep;
  const start = performance.now();
  const child = new LineProcess(command, args);
  const { maxRssBytes } = await child.next<{ maxRssBytes: number }>();
  const ms = performance.now() - start;
  child.stop();
  return { ms, maxRssBytes };
}

export interface FirstStep {
  readonly ms: number;
  readonly maxRssBytes: number;
}

function count(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
