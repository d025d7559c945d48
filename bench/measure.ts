import { rmSync } from "node:fs";
import type { BenchmarkOptions, Group } from "./arguments.js";
import type { LineProcess } from "./contestants/child-process.js";
import { type Contestant, timeFirstStep } from "./contestants/contestants.js";
import type { Answer, MemoryPart, Task } from "./contestants/protocol.js";
import { type Measurement, takesPart } from "./results.js";
import { writeScenario } from "./contestants/scenario-file.js";
import { matmulSizes, matmulVariants, type ScenarioName, scenarioNames } from "./scenarios.js";
import { largestDifference, median, repeatsFor } from "./statistics.js";

/** The processes of the contestants, and what is to be measured on them. */
export interface Session {
  readonly contestants: readonly Contestant[];
  readonly processes: ReadonlyMap<string, LineProcess>;
  /** For the files of weights and batches. */
  readonly folder: string;
  readonly options: BenchmarkOptions;
  report(what: string): void;
}

type CaseGroup = Measurement["group"];
const warmUps = 3;
const mostRepeats = 40;

/** Everything but the hardware, one case after the other, in each the contestants in turn. */
export async function measureAll(session: Session): Promise<{
  measurements: Measurement[];
  lossDifferences: Record<string, number>;
}> {
  const wants = (group: Group) => session.options.only.includes(group);
  const measurements: Measurement[] = [];
  const lossDifferences: Record<string, number> = {};
  for (const scenario of scenarioNames) {
    const generates = wants("generation") && scenario === "small";
    if (!wants("training") && !wants("memory") && !generates) continue;
    lossDifferences[scenario] = await load(session, scenario);
    if (wants("training")) {
      measurements.push(...(await time(session, "training", scenario, trainingTask)));
    }
    if (generates) {
      measurements.push(...(await time(session, "generation", scenario, generationTask)));
    }
    if (wants("memory")) measurements.push(...(await measureMemory(session, scenario)));
  }
  for (const size of wants("matmul") ? matmulSizes : []) {
    for (const variant of matmulVariants) {
      const task = (repeats: number) => ({ task: "matmul", size, variant, repeats }) as const;
      measurements.push(...(await time(session, "matmul", `${size} ${variant}`, task)));
    }
  }
  if (wants("startup")) measurements.push(...(await measureStartup(session)));
  return { measurements, lossDifferences };
}

const trainingTask = (repeats: number) => ({ task: "training", repeats }) as const;
const generationTask = (repeats: number) => ({ task: "generation", repeats }) as const;

function withContestantsOf(session: Session, group: Group): Session {
  const contestants = session.contestants.filter((contestant) => takesPart(contestant, group));
  return { ...session, contestants };
}

function ask({ processes }: Session, { id }: Contestant, task: Task): Promise<Answer> {
  const child = processes.get(id);
  if (child === undefined) throw new Error(`${id} was not started.`);
  return child.ask<Answer>(task);
}

/** Gives everyone the same start, and compares the losses of the first steps to ours. */
async function load(all: Session, scenario: ScenarioName): Promise<number> {
  const session = withContestantsOf(all, "training");
  session.report(`loading ${scenario}`);
  const file = await writeScenario(scenario, session.folder);
  for (const contestant of session.contestants) {
    await ask(session, contestant, { task: "load", scenario, file });
  }
  rmSync(file);
  const losses = new Map<string, readonly number[]>();
  for (const contestant of session.contestants) {
    const { losses: first = [] } = await ask(session, contestant, trainingTask(warmUps));
    losses.set(contestant.id, first);
  }
  const ours = losses.get("pupil-1") ?? [];
  return Math.max(...[...losses.values()].map((theirs) => largestDifference(ours, theirs)));
}

/** Interleaved rounds; a round of one contestant is the median of its repeats. */
async function time(
  all: Session,
  group: CaseGroup,
  name: string,
  task: (repeats: number) => Task,
): Promise<Measurement[]> {
  const session = withContestantsOf(all, group);
  session.report(`${group} ${name}`);
  const { contestants, options } = session;
  // Short products need many repeats for one reading of the clock.
  const most = group === "matmul" ? 2000 : mostRepeats;
  const wantedMs = group === "matmul" ? options.roundMs / 4 : options.roundMs;
  const repeats = new Map<string, number>();
  for (const contestant of contestants) {
    const once = await ask(session, contestant, task(1));
    // Once more, now that everything is compiled.
    const { ms = [] } =
      (once.ms?.[0] ?? 0) > wantedMs ? once : await ask(session, contestant, task(2));
    repeats.set(contestant.id, repeatsFor(Math.min(...ms), wantedMs, most));
  }
  return rounds(session, async (contestant) => {
    const { ms = [] } = await ask(session, contestant, task(repeats.get(contestant.id) ?? 1));
    return { round: median(ms), min: Math.min(...ms) };
  }).then((found) => found.map((entry) => ({ group, case: name, unit: "ms", ...entry }) as const));
}

interface Rounds {
  readonly contestant: string;
  readonly median: number;
  readonly min: number;
  readonly rounds: readonly number[];
}

async function rounds(
  { contestants, options }: Session,
  one: (contestant: Contestant) => Promise<{ round: number; min: number }>,
): Promise<Rounds[]> {
  const found = new Map<string, { rounds: number[]; min: number }>(
    contestants.map(({ id }) => [id, { rounds: [], min: Infinity }]),
  );
  for (let round = 0; round < options.rounds; round++) {
    for (const contestant of contestants) {
      if (contestant.id === "stock" && round >= options.stockRounds) continue;
      const { round: value, min } = await one(contestant);
      const entry = found.get(contestant.id);
      entry?.rounds.push(value);
      if (entry !== undefined) entry.min = Math.min(entry.min, min);
    }
  }
  return [...found].map(([contestant, entry]) => ({
    ...{ contestant, min: entry.min, rounds: entry.rounds },
    median: median(entry.rounds),
  }));
}

/** Once each: the same step needs the same memory. */
async function measureMemory(all: Session, scenario: ScenarioName): Promise<Measurement[]> {
  const session = withContestantsOf(all, "memory");
  session.report(`memory ${scenario}`);
  const found: Measurement[] = [];
  for (const part of ["step", "loss"] satisfies MemoryPart[]) {
    for (const contestant of session.contestants) {
      const { peakBytes } = await ask(session, contestant, { task: "memory", part });
      found.push(single(`${scenario} ${part}`, contestant.id, peakBytes ?? Number.NaN));
    }
  }
  return found;
}

function single(name: string, contestant: string, bytes: number): Measurement {
  const values = { median: bytes, min: bytes, rounds: [bytes] };
  return { group: "memory", case: name, contestant, unit: "bytes", ...values };
}

async function measureStartup(all: Session): Promise<Measurement[]> {
  const session = withContestantsOf(all, "startup");
  session.report("startup");
  const memory = new Map<string, number>();
  const times = await rounds(session, async (contestant) => {
    const { ms, maxRssBytes } = await timeFirstStep(contestant);
    memory.set(contestant.id, maxRssBytes);
    return { round: ms, min: ms };
  });
  return [
    ...times.map((entry) => ({ group: "startup", case: "small", unit: "ms", ...entry }) as const),
    ...[...memory].map(([id, bytes]) => single("small process", id, bytes)),
  ];
}
