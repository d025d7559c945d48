import { rmSync } from "node:fs";
import type { BenchmarkOptions } from "./arguments.js";
import { LineProcess } from "./contestants/child-process.js";
import type { Contestant } from "./contestants/contestants.js";
import type { Answer, Task } from "./contestants/protocol.js";
import { alone, beside, type Measurement } from "./results.js";
import { writeScenario } from "./contestants/scenario-file.js";
import { median, repeatsFor } from "./statistics.js";

/** Steps of a round, and rounds; a library whose threads spin can take seconds for each step. */
const mostRepeats = 10;
const mostRounds = 3;

/**
 * Two trainings at the same time, each in a process of its own and with as many threads as there are cores,
 * against one: ours and PyTorch's. Where threads that wait take the cores from those that work, each is far
 * below half its speed.
 */
export async function measureSideBySide(
  contestants: readonly Contestant[],
  options: BenchmarkOptions,
  folder: string,
  report: (what: string) => void,
): Promise<Measurement[]> {
  const { threads } = options;
  const ids = [`pupil-${threads}`, `torch-${threads}`];
  const compared = contestants.filter(({ id }) => ids.includes(id));
  const found: Measurement[] = [];
  const file = await writeScenario("small", folder);
  for (const contestant of compared) {
    report(`side by side: ${contestant.label}`);
    found.push(...(await measure(contestant, options, file)));
  }
  rmSync(file);
  return found;
}

async function measure(
  { id, run }: Contestant,
  { rounds, roundMs }: BenchmarkOptions,
  file: string,
): Promise<Measurement[]> {
  const [command, ...args] = run;
  const pair = [new LineProcess(command, args), new LineProcess(command, args)] as const;
  await Promise.all(pair.map((child) => child.next()));
  for (const child of pair) {
    await child.ask({ task: "load", scenario: "small", file } satisfies Task);
  }
  const step = async (child: LineProcess, repeats: number) => {
    const { ms = [] } = await child.ask<Answer>({ task: "training", repeats } satisfies Task);
    return median(ms);
  };
  for (const child of pair) await step(child, 3);
  const repeats = repeatsFor(await step(pair[0], 3), roundMs, mostRepeats);
  const times: Record<typeof alone | typeof beside, number[]> = { [alone]: [], [beside]: [] };
  for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
    times[alone].push(await step(pair[0], repeats));
    // The slower one of the two.
    const both = await Promise.all(pair.map((child) => step(child, repeats)));
    times[beside].push(Math.max(...both));
  }
  for (const child of pair) child.stop();
  return ([alone, beside] as const).map((name) => ({
    ...{ group: "side-by-side", case: name, contestant: id, unit: "ms" },
    ...{ median: median(times[name]), min: Math.min(...times[name]), rounds: times[name] },
  }));
}
