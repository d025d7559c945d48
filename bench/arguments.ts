import { oneOf, PupilError } from "../src/errors/index.js";
import type { MatmulTiles } from "../src/ops/index.js";
import type { GpuBenchmark } from "./gpu/main.js";
import { gpuSizeNames } from "./gpu/report.js";
import { tileNames } from "./gpu/tiles.js";

export const groups = [
  "training",
  "generation",
  "side-by-side",
  "matmul",
  "memory",
  "loss-memory",
  "startup",
  "hardware",
] as const;
export type Group = (typeof groups)[number];

export interface BenchmarkOptions {
  readonly only: readonly Group[];
  readonly rounds: number;
  /** Rounds of the stock backend, whose steps take seconds. */
  readonly stockRounds: number;
  /** Milliseconds that one round of one contestant should take. */
  readonly roundMs: number;
  /** The larger of the two thread counts measured. */
  readonly threads: number;
  readonly json?: string;
  /** What is measured instead of everything else: what a step asks of a GPU. */
  readonly gpu?: GpuBenchmark;
  readonly help: boolean;
}

export const usage = `npm run bench -- [options]
  --only a,b     some of: ${groups.join(", ")}
  --rounds n     rounds of every measurement (default 9; --quick 3)
  --threads n    the larger thread count (default: all cores)
  --json file    write the results as JSON; "npx tsx bench/report.ts file" puts them into the docs
  --quick        fewer and shorter rounds
  --backend webgpu   instead of all of that, what a training step and a generation ask of the GPU that is there
                 (dispatches, submits, buffers, …), beside tfjs's ops; without a GPU on Chromium's SwiftShader
  --size name    with it, one of: ${gpuSizeNames.join(", ")} (default small)
  --steps n      with it, training steps, of which the last is shown (default 5)
  --kernels a,b  with it, some of: own, composed (default both)
  --tiles a=n,…  with it, sizes of the tiles of matrix products: ${tileNames.join(", ")}
PyTorch takes part if the command in PUPIL_PYTHON, or else python3, can import torch.`;

const flags = ["--quick", "--help"];
const ofGpu = ["--size", "--steps", "--kernels", "--tiles"];
const valued = ["--only", "--rounds", "--threads", "--json", "--backend", ...ofGpu];

/** @throws PupilError for an option, group or number that is not one */
export function parseArguments(argv: readonly string[], numCores: number): BenchmarkOptions {
  const given = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = splitOption(argv[i] as string);
    if (flags.includes(name) && inline === undefined) {
      given.set(name, "");
      continue;
    }
    if (!valued.includes(name)) {
      throw new PupilError("there is no such option.", {
        field: argv[i] as string,
        remedy: oneOf(name, [...valued, ...flags]),
      });
    }
    const value = inline ?? argv[++i];
    if (value === undefined || value === "" || value.startsWith("--")) {
      throw new PupilError("a value is missing.", { field: name, remedy: usage });
    }
    given.set(name, value);
  }
  const isQuick = given.has("--quick");
  const rounds = wholeNumber(given, "--rounds") ?? (isQuick ? 3 : 9);
  const json = given.get("--json");
  const gpu = parseGpu(given);
  return {
    only: parseGroups(given.get("--only")),
    rounds,
    stockRounds: Math.min(rounds, isQuick ? 1 : 3),
    roundMs: isQuick ? 150 : 500,
    threads: wholeNumber(given, "--threads") ?? numCores,
    ...(json !== undefined && { json }),
    ...(gpu && { gpu: { ...gpu, ...(json !== undefined && { json }) } }),
    help: given.has("--help"),
  };
}

function parseGpu(given: ReadonlyMap<string, string>): GpuBenchmark | undefined {
  const backend = given.get("--backend");
  if (backend === undefined) {
    const stray = ofGpu.find((name) => given.has(name));
    if (stray === undefined) return undefined;
    throw new PupilError("goes only with --backend webgpu.", { field: stray });
  }
  chosen("--backend", backend, ["webgpu"]);
  const kernels = (given.get("--kernels") ?? "own,composed").split(",");
  const tiles = given.get("--tiles");
  return {
    size: chosen("--size", given.get("--size") ?? "small", gpuSizeNames),
    steps: wholeNumber(given, "--steps") ?? 5,
    kernels: kernels.map((name) => chosen("--kernels", name, ["own", "composed"] as const)),
    ...(tiles !== undefined && { tiles: parseTiles(tiles) }),
  };
}

function parseTiles(text: string): Partial<MatmulTiles> {
  const entries = text.split(",").map((part) => {
    const [name, value] = part.split("=") as [string, string?];
    const given = new Map([["--tiles", value ?? ""]]);
    return [chosen("--tiles", name, tileNames), wholeNumber(given, "--tiles")] as const;
  });
  return Object.fromEntries(entries) as Partial<MatmulTiles>;
}

function chosen<T extends string>(field: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value.trim());
  if (found !== undefined) return found;
  throw new PupilError(`there is no "${value}".`, { field, value, remedy: oneOf(value, known) });
}

function splitOption(argument: string): [string, string | undefined] {
  const at = argument.indexOf("=");
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function wholeNumber(given: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = given.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new PupilError(`"${text}" is not a whole number above 0.`, { field: name, value: text });
  }
  return value;
}

function parseGroups(text: string | undefined): readonly Group[] {
  if (text === undefined) return groups;
  return text.split(",").map((name) => {
    const group = groups.find((known) => known === name.trim());
    if (group === undefined) {
      throw new PupilError(`there is no group "${name}".`, {
        field: "--only",
        value: name,
        remedy: oneOf(name, groups),
      });
    }
    return group;
  });
}
