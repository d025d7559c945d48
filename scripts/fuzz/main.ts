/**
 * Gives mutated inputs to every reader. Right is a value that passes the reader's own contract, or a
 * PupilError; a hang, another error, an unhandled rejection, NaN or undefined in a value and memory
 * out of all proportion are faults. They are stored under `fuzz-faults/` to be replayed.
 *
 *     npm run fuzz                                        2,000 inputs a reader
 *     npm run fuzz -- --inputs 30000 --seed 7             so many a reader, of another seed
 *     npm run fuzz -- --only parquet,csv                  some readers
 *     npm run fuzz -- --short                             what CI runs
 *     npm run fuzz -- --replay fuzz-faults/csv-1-42.json  one input again
 *     npm run fuzz -- --list                              names of the readers
 *
 * Exit code 1 if there is a fault.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { faultOf, makeInput } from "./run-input.js";
import { type Fault, type Job, runJobs } from "./supervise.js";
import type { FuzzTarget, Input } from "./target.js";
import { targets } from "./targets/index.js";

const { values: given } = parseArgs({
  options: {
    inputs: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    short: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    replay: { type: "string" },
    output: { type: "string", default: "fuzz-faults" },
  },
});

/** Inputs per job: what is run again from the start of a child is small. */
const chunk = 5_000;
/** Faults of one kind that are stored. */
const stored = 3;

if (given.list) {
  for (const { name } of targets) console.log(name);
} else if (given.replay !== undefined) {
  await replay(given.replay);
} else {
  await campaign(given.short ? 40 : Number(given.inputs), Number(given.seed));
}

async function campaign(inputs: number, seed: number): Promise<void> {
  const names = given.only?.split(",") ?? targets.map(({ name }) => name);
  for (const name of names) targetNamed(name);
  const began = Date.now();
  const found = new Map<string, Fault[]>();
  const onFault = (fault: Fault) => {
    const kind = `${fault.target}: ${fault.reason.replace(/\d+/g, "#").slice(0, 120)}`;
    const same = found.get(kind) ?? [];
    found.set(kind, [...same, fault]);
    if (same.length < stored) console.log(`${fault.target} ${fault.index}: ${fault.reason}`);
  };
  const jobs = names.flatMap((target) => {
    const firsts = Array.from({ length: Math.ceil(inputs / chunk) }, (_, i) => i * chunk);
    return firsts.map((first): Job => ({ target, first, end: Math.min(inputs, first + chunk) }));
  });
  await runJobs(jobs, seed, onFault);
  const faults = [...found.values()];
  for (const same of faults) for (const fault of same.slice(0, stored)) await store(fault, seed);
  const count = faults.reduce((sum, same) => sum + same.length, 0);
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(
    `${(inputs * names.length).toLocaleString("en-US")} inputs in ${names.length} readers, seed ${seed}, ` +
      `${seconds} s: ${count} faults of ${faults.length} kinds.`,
  );
  for (const [kind, same] of found) console.log(`${String(same.length).padStart(7)}  ${kind}`);
  process.exitCode = count > 0 ? 1 : 0;
}

async function store(fault: Fault, seed: number): Promise<void> {
  const target = targetNamed(fault.target);
  const input = makeInput(target, await target.seeds(), seed, fault.index);
  const files = Object.entries(input).map(([name, bytes]) => [
    name,
    Buffer.from(bytes).toString("base64"),
  ]);
  mkdirSync(given.output, { recursive: true });
  const path = join(given.output, `${fault.target}-${seed}-${fault.index}.json`);
  const content = { ...fault, seed, files: Object.fromEntries(files) as Record<string, string> };
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
}

async function replay(path: string): Promise<void> {
  const { target, files } = JSON.parse(readFileSync(path, "utf8")) as {
    target: string;
    files: Record<string, string>;
  };
  const input: Input = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [
      name,
      Uint8Array.from(Buffer.from(text, "base64")),
    ]),
  );
  const reason = await faultOf(targetNamed(target), input);
  console.log(reason ?? "no fault");
  process.exit(reason === undefined ? 0 : 1);
}

function targetNamed(name: string): FuzzTarget {
  const target = targets.find((candidate) => candidate.name === name);
  if (target !== undefined) return target;
  throw new Error(`There is no reader called ${name}: ${targets.map((t) => t.name).join(", ")}.`);
}
