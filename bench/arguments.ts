import { oneOf, PupilError } from "../src/errors/index.js";

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
  readonly help: boolean;
}

export const usage = `npm run bench -- [options]
  --only a,b     some of: ${groups.join(", ")}
  --rounds n     rounds of every measurement (default 9; --quick 3)
  --threads n    the larger thread count (default: all cores)
  --json file    write the results as JSON; "npx tsx bench/report.ts file" puts them into the docs
  --quick        fewer and shorter rounds
PyTorch takes part if the command in PUPIL_PYTHON, or else python3, can import torch.`;

const flags = ["--quick", "--help"];
const valued = ["--only", "--rounds", "--threads", "--json"];

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
  return {
    only: parseGroups(given.get("--only")),
    rounds,
    stockRounds: Math.min(rounds, isQuick ? 1 : 3),
    roundMs: isQuick ? 150 : 500,
    threads: wholeNumber(given, "--threads") ?? numCores,
    ...(json !== undefined && { json }),
    help: given.has("--help"),
  };
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
