import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Stage } from "../../../../src/config/index.js";
import { ablate } from "../../../../src/node/ablations/ablate.js";
import { makePlan } from "../../../../src/node/ablations/plan.js";
import type { AblationPlan } from "../../../../src/node/ablations/planned.js";
import { planAblation } from "../../../../src/node/ablations/plan-file.js";
import type { Collector } from "../../../../src/node/ablations/stages/collector.js";
import { namedFiles } from "../../../../src/node/ablations/stages/named-files.js";
import { runStages, type StageEvent } from "../../../../src/node/ablations/stages/run-stages.js";
import type { PlannedStage } from "../../../../src/node/ablations/stages/stage.js";
import { inThisProcess, type Worker } from "../../../../src/node/ablations/stages/workers.js";
import { lockRun, waitForLock } from "../../../../src/node/runs/folder/run-lock.js";
import { tinyConfig } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const { name: _name, output: _output, ...tiny } = tinyConfig("unused") as Record<string, unknown>;
const run = (changes: object = {}) => ({ ...tiny, ...changes }) as Stage["run"] & object;
const small = { type: "sft", steps: 2, batchSize: 2 };
const quick = { trainer: small, evaluation: { every: 0, rows: 2 } };
const sft: Stage = { name: "sft", run: run(quick) };
const more: Stage = {
  name: "more",
  run: run({ ...quick, student: { from: "stage:sft" } }),
};

/** Collects that write two rows and count their tokens. */
const collector: Collector = {
  parse: (given) => given as Record<string, unknown>,
  collect(config, folder) {
    mkdirSync(folder, { recursive: true });
    if (config["fail"] === true) return Promise.reject(new Error("no rows"));
    const rows = [1, 2].map((i) => JSON.stringify({ prompt: `${i}+1=`, completion: `${i + 1}` }));
    writeFileSync(join(folder, "rows.jsonl"), `${rows.join("\n")}\n`);
    const cost = { studentTokens: 7, teacherTokens: 5, studentForwards: 3, teacherForwards: 2 };
    writeFileSync(
      join(folder, "collect.json"),
      JSON.stringify({ cost, measures: { answerLeak: 0.5, share: config["share"] } }),
    );
    return Promise.resolve();
  },
};

function planOf(
  arms: Record<string, readonly Stage[]>,
  options: { folder?: string; seeds?: number[]; stages?: string } = {},
): Promise<AblationPlan> {
  const { folder = temporaryFolder(), seeds = [1, 2], stages: shared } = options;
  const draft = {
    ...{ name: "chains", source: "test", baseline: Object.keys(arms)[0] ?? "", seeds },
    arms: Object.entries(arms).map(([name, stages]) => ({ name, changes: {}, stages })),
    isPlain: false,
  };
  return makePlan(draft, { folder, stages: shared, collector });
}

const nameOf = (event: StageEvent) => ("stage" in event ? event.stage.name : "");
const written = (plan: AblationPlan, file: string) =>
  JSON.parse(readFileSync(join(plan.folder, file), "utf8")) as Record<string, never>;

const doing = (plan: AblationPlan, changes: object = {}) =>
  ablate({
    ...{ plan, command: "test", processes: 1, drawings: false, report: () => undefined },
    worker: inThisProcess(collector),
    ...changes,
  });

describe("a plan of stages", () => {
  test("makes what arms share once, and for every seed anew", async () => {
    const plan = await planOf({ sft: [sft], more: [sft, more] }, { folder: "f" });
    expect(plan.stages.map(({ name, seed, arms }) => `${name} ${seed} ${arms.join()}`)).toEqual([
      ...["sft 1 sft,more", "more 1 more"],
      ...["sft 2 sft,more", "more 2 more"],
    ]);
    const [first, second] = plan.stages as [PlannedStage, PlannedStage];
    expect(second.needs).toEqual([first.id]);
    expect(second.config).toMatchObject({ student: { from: `f/stages/${first.id}` }, seed: 1 });
    expect(first.folder).toBe(`f/stages/${first.id}`);
    expect(plan.cells.map(({ arm, seed, chain }) => [arm, seed, chain.length])).toEqual([
      ...[
        ["sft", 1, 1],
        ["sft", 2, 1],
      ],
      ...[
        ["more", 1, 2],
        ["more", 2, 2],
      ],
    ]);
  });

  test("makes a stage once for all seeds where it says so", async () => {
    const teacher = { ...sft, name: "teacher", once: true };
    const student = { ...more, run: run({ ...quick, student: { from: "stage:teacher" } }) };
    const plan = await planOf({ a: [teacher, student], b: [sft] });
    const teachers = plan.stages.filter(({ name }) => name === "teacher");
    expect(teachers.map(({ seed }) => seed)).toEqual([1]);
    // With seed 1 the teacher is the very run that the arm b has.
    expect(teachers[0]?.arms).toEqual(["a", "b"]);
  });

  test("names a stage by what decides it, beginnings included, not by how an arm calls it", async () => {
    const other = { ...sft, name: "other" };
    const changed = { ...sft, run: run({ ...quick, trainer: { ...small, steps: 3 } }) };
    const fromOther = { ...more, run: run({ ...quick, student: { from: "stage:other" } }) };
    const ids = async (...stages: Stage[]) =>
      (await planOf({ a: stages }, { seeds: [1] })).stages.map(({ id }) => id);
    expect(await ids(other, fromOther)).toEqual(await ids(sft, more));
    const [, before] = await ids(sft, more);
    const [, after] = await ids(changed, more);
    expect(after).not.toBe(before);
  });

  test("gives rows of a collect as their file", async () => {
    const rows: Stage = { name: "rows", collect: { count: 2 } };
    const data = { type: "file", path: "stage:rows" };
    const last: Stage = { name: "last", run: run({ ...quick, data }) };
    const { stages } = await planOf({ a: [rows, last] }, { seeds: [1], folder: "f" });
    const config = stages[1]?.config as { data: { path: string } };
    expect(config.data.path).toBe(`f/stages/${stages[0]?.id}/rows.jsonl`);
  });
});

const rowsStage = (name: string, config: object = {}): Stage => ({
  name,
  collect: { ...config, of: name },
});
const chooseBy = (metric: string, extra: object = {}): Stage => ({
  name: "choice",
  choose: {
    metric,
    candidates: {
      a: { take: "stage:rows-a", score: "stage:rows-a" },
      b: { take: "stage:rows-b", score: "stage:rows-b" },
      c: { take: "stage:rows-c", score: "stage:rows-c" },
    },
    ...extra,
  },
});
const onChoice: Stage = {
  name: "last",
  run: run({ ...quick, data: { type: "file", path: "stage:choice" } }),
};
const three = (values: readonly unknown[]) =>
  ["a", "b", "c"].map((name, i) => rowsStage(`rows-${name}`, { share: values[i] }));

describe("a choice", () => {
  const choiceIn = (plan: AblationPlan) => {
    const stage = plan.stages.find(({ kind }) => kind === "choose") as PlannedStage;
    return written({ ...plan, folder: stage.folder }, "choice.json") as unknown;
  };

  test.each([
    ["highest", [0.2, 0.9, 0.5], "b"],
    ["lowest", [0.2, 0.9, 0.5], "a"],
    ["highest", [0.5, 0.9, 0.9], "b"],
    ["highest", [0.1, "NaN", 0.3], "c"],
  ])("takes the %s of %j", async (direction, values, chosen) => {
    const plan = await planOf(
      { one: [sft], chosen: [...three(values), chooseBy("share", { direction }), onChoice] },
      { seeds: [1] },
    );
    const results = await doing(plan);
    expect(results.failed).toEqual([]);
    expect(choiceIn(plan)).toMatchObject({ chosen, metric: "share", direction });
    const choice = plan.stages.find(({ kind }) => kind === "choose") as PlannedStage;
    const taken = plan.stages.find(({ name }) => name === `rows-${chosen}`) as PlannedStage;
    const read = (folder: string) => readFileSync(join(folder, "collect.json"), "utf8");
    expect(read(choice.folder)).toBe(read(taken.folder));
    // What the choice went by is a measure of the arm.
    expect(results.arms["chosen"]?.["choice.a"]?.mean).toBe(values[0]);
    // All candidates are paid for, the choice itself costs nothing.
    expect(results.cost["chosen"]?.sampledTokens).toBe(21);
    const report = readFileSync(join(plan.folder, "report.md"), "utf8");
    expect(report).toContain("What was chosen");
    expect(report).toContain(`| ${chosen} | ${direction} share |`);
  });

  test("chooses among models by their runs, and a later stage begins with it", async () => {
    const longer = {
      ...sft,
      name: "longer",
      run: run({ ...quick, trainer: { ...small, steps: 3 } }),
    };
    const choice: Stage = {
      name: "choice",
      choose: {
        metric: "heldOut.loss",
        direction: "lowest",
        candidates: {
          short: { take: "stage:sft", score: "stage:sft" },
          long: { take: "stage:longer", score: "stage:longer" },
        },
      },
    };
    const last = { ...more, run: run({ ...quick, student: { from: "stage:choice" } }) };
    const plan = await planOf({ one: [sft], chosen: [sft, longer, choice, last] }, { seeds: [1] });
    const results = await doing(plan);
    expect(results.failed).toEqual([]);
    const { scores, chosen } = choiceIn(plan) as {
      chosen: string;
      scores: Record<string, number>;
    };
    const { short = NaN, long = NaN } = scores;
    expect(chosen).toBe(short <= long ? "short" : "long");
  });

  test("fails what needs it where a candidate lacks the measure, and says which there are", async () => {
    const stages = [...three([1, 2, 3]), chooseBy("shore"), onChoice];
    const results = await doing(await planOf({ one: [sft], chosen: stages }, { seeds: [1] }));
    expect(results.failed).toHaveLength(1);
    expect(results.failed[0]?.message).toMatch(/scores "a" has not measured it.*"share"/s);
  });

  test("fails where no measure is a number", async () => {
    const stages = [...three(["NaN", "NaN", "NaN"]), chooseBy("share"), onChoice];
    const results = await doing(await planOf({ one: [sft], chosen: stages }, { seeds: [1] }));
    expect(results.failed[0]?.message).toMatch(/not a number for any candidate/);
  });

  test("is another stage with another measure, direction or candidate", async () => {
    const idOf = async (choice: Stage, values: readonly number[] = [1, 2, 3]) => {
      const plan = await planOf({ one: [...three(values), choice, onChoice] }, { seeds: [1] });
      return plan.stages.find(({ kind }) => kind === "choose")?.id;
    };
    const ids = await Promise.all([
      idOf(chooseBy("share")),
      idOf(chooseBy("other")),
      idOf(chooseBy("share", { direction: "lowest" })),
      idOf(chooseBy("share"), [1, 2, 4]),
    ]);
    expect(new Set(ids).size).toBe(4);
    expect(await idOf(chooseBy("share"))).toBe(ids[0]);
  });
});

describe("a folder of stages that ablations share", () => {
  const rows: Stage = { name: "rows", collect: { student: "stage:sft", backend: "cpu" } };
  const data = { type: "file", path: "stage:rows", validationFraction: 0.5 };
  const tuned: Stage = {
    name: "tuned",
    run: run({ ...quick, data, student: { from: "stage:sft" } }),
  };
  const arms = { sft: [sft], tuned: [sft, rows, tuned] };

  test("has what one has made for the others, with its cost", async () => {
    const stages = temporaryFolder();
    const first = await planOf(arms, { seeds: [1], stages });
    const second = await planOf(
      { other: [{ ...sft, name: "begin" }], ...{ tuned: arms.tuned } },
      {
        ...{ seeds: [1], stages },
      },
    );
    const { cost } = await doing(first);
    const events: string[] = [];
    const report = (event: StageEvent) => events.push(`${event.type} ${nameOf(event)}`);
    const found = await doing(second, { report });
    expect(events).toEqual(["found begin", "found rows", "found tuned"]);
    expect(found.cost).toEqual({ other: cost["sft"], tuned: cost["tuned"] });
    expect(existsSync(join(second.folder, "stages"))).toBe(false);
    expect(readdirSync(stages).sort()).toEqual(first.stages.map(({ id }) => id).sort());
  });

  test("is worked on by several at the same time, each stage by one", async () => {
    const stages = temporaryFolder();
    const collected: string[] = [];
    const slow: Collector = {
      ...collector,
      async collect(config, folder, progress) {
        collected.push(folder);
        await new Promise((resolve) => setTimeout(resolve, 300));
        await collector.collect(config, folder, progress);
      },
    };
    const plans = [
      await planOf(arms, { seeds: [1], stages }),
      await planOf(arms, { seeds: [1], stages }),
    ];
    const steps: string[] = [];
    const report = (event: StageEvent) => {
      if (event.type === "step") steps.push(`${event.stage.name} ${event.step}`);
    };
    const worker = inThisProcess(slow);
    const [a, b] = await Promise.all(plans.map((plan) => doing(plan, { worker, report })));
    expect(a?.failed).toEqual([]);
    expect(b?.cost).toEqual(a?.cost);
    expect(b?.arms).toEqual(a?.arms);
    expect(collected).toHaveLength(1);
    expect(steps.sort()).toEqual(["sft 1", "sft 2", "tuned 1", "tuned 2"]);
  });

  test("is waited for until the process that makes a stage ends, or the ablation is stopped", async () => {
    const stages = temporaryFolder();
    const plan = await planOf({ sft: [sft] }, { seeds: [1], stages });
    const { signal: never } = new AbortController();
    const held = await waitForLock(stages, { name: `${plan.stages[0]?.id}.lock`, signal: never });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect((await doing(plan, { signal: stop.signal })).finished).toBe(false);
    expect(existsSync(plan.stages[0]?.folder ?? "")).toBe(false);
    await held?.release();
    expect((await doing(plan)).finished).toBe(true);
  });

  test("has a stage anew where a file that it reads has changed", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "mine.jsonl");
    const idWith = async (text: string) => {
      writeFileSync(path, text);
      const own = { name: "own", run: run({ ...quick, data: { type: "file", path } }) };
      const { stages } = await planOf({ a: [own] }, { seeds: [1], stages: folder });
      return stages[0]?.id;
    };
    const before = await idWith('{"prompt":"1","completion":"2"}\n');
    expect(await idWith('{"prompt":"1","completion":"3"}\n')).not.toBe(before);
    expect(await idWith('{"prompt":"1","completion":"2"}\n')).toBe(before);
  });

  test("is the same whatever lies beside it: a pattern is no folder", async () => {
    expect(
      await namedFiles({ rewards: [{ type: "format", pattern: "." }], a: "..", b: "/" }),
    ).toEqual({});
    const folder = temporaryFolder();
    expect(Object.keys(await namedFiles({ path: folder }))).toEqual([folder]);
  });

  test("is refused where arms are runs", async () => {
    const path = join(temporaryFolder(), "plain.json");
    const file = { name: "plain", run: tiny, arms: { a: {}, b: { "trainer.learningRate": 0.1 } } };
    writeFileSync(path, JSON.stringify(file));
    await expect(planAblation(path, [], { stages: "shared" })).rejects.toThrow(
      /plain\.json: stages: its arms are runs that no other ablation has/,
    );
  });
});

const loose = (name: string, config: object): Stage => ({ name, run: run(config) });
test.each<[string, Record<string, readonly Stage[]>, RegExp]>([
  [
    "a reference to no stage",
    { a: [sft, loose("b", { student: { from: "stage:stf" } })] },
    /arms\.a: b: student\.from: no earlier stage of the arm is called "stf"\. Did you mean "sft"/,
  ],
  ["a reference to a later stage", { a: [more, sft] }, /There is no earlier stage/],
  [
    "a stage that nothing uses",
    { a: [sft, loose("b", {})] },
    /no later stage of the arm uses "sft"/,
  ],
  [
    "a model where rows are needed",
    { a: [sft, loose("b", { data: { type: "file", path: "stage:sft" } })] },
    /data\.path: needs rows, but the stage "sft" makes a model/,
  ],
  [
    "a collect at the end",
    { a: [sft, { name: "rows", collect: { student: "stage:sft" } }] },
    /last stage, "rows", is a collect/,
  ],
  [
    "a choice at the end",
    { a: [...three([1, 2, 3]), chooseBy("share")] },
    /last stage, "choice", is a choice/,
  ],
  [
    "a choice of rows where a model is needed",
    {
      a: [
        ...three([1, 2, 3]),
        chooseBy("share"),
        loose("b", { student: { from: "stage:choice" } }),
      ],
    },
    /student\.from: needs a model, but the stage "choice" makes rows/,
  ],
  [
    "a choice between rows and a model",
    {
      a: [
        sft,
        rowsStage("rows-a"),
        chooseBy("share", {
          candidates: {
            a: { take: "stage:rows-a", score: "stage:sft" },
            m: { take: "stage:sft", score: "stage:sft" },
          },
        }),
        onChoice,
      ],
    },
    /candidates: "a" is rows and "m" is a model/,
  ],
  [
    "a choice of one",
    {
      a: [
        rowsStage("rows-a"),
        chooseBy("share", {
          candidates: { a: { take: "stage:rows-a", score: "stage:rows-a" } },
        }),
        onChoice,
      ],
    },
    /candidates.*give at least two/,
  ],
  [
    "a choice by a choice",
    {
      a: [
        ...three([1, 2, 3]),
        chooseBy("share"),
        {
          ...chooseBy("share", {
            candidates: {
              a: { take: "stage:rows-a", score: "stage:choice" },
              b: { take: "stage:rows-b", score: "stage:rows-b" },
            },
          }),
          name: "second",
        },
        loose("b", { data: { type: "file", path: "stage:second" } }),
      ],
    },
    /candidates\.a\.score: a choice measures nothing itself/,
  ],
  ["two stages of one name", { a: [sft, { ...more, name: "sft" }] }, /two stages .* called "sft"/],
  ["a misspelled field", { a: [loose("b", { trainr: {} })] }, /arms\.a: b: trainr is not a field/],
  ["a seed of its own", { a: [loose("b", { seed: 3 })] }, /b: "seed" is set by the runner/],
  ["arms that are one", { a: [sft], b: [sft] }, /arms\.b: its runs are those of the arm "a"/],
  [
    "a stage that is made once from one that is not",
    { a: [sft, { ...more, once: true }] },
    /is made once for all seeds, but from "sft"/,
  ],
  ["a result that is made once", { a: [{ ...sft, once: true }] }, /would be one result/],
])("%s is refused before anything runs", async (_what, arms, message) => {
  await expect(planOf(arms)).rejects.toThrow(message);
});

describe("the stages of an ablation", () => {
  test("are made once, add up to what an arm cost, and are found when it is run again", async () => {
    const rows: Stage = { name: "rows", collect: { student: "stage:sft", backend: "cpu" } };
    const data = { type: "file", path: "stage:rows", validationFraction: 0.5 };
    const tuned: Stage = {
      name: "tuned",
      run: run({ ...quick, data, student: { from: "stage:sft" } }),
    };
    const plan = await planOf({ sft: [sft], tuned: [sft, rows, tuned] }, { seeds: [1] });
    const { cost, failed, arms } = await doing(plan);
    expect(failed).toEqual([]);
    expect(cost["sft"]).toMatchObject({ steps: 2, sampledTokens: 0, teacherTokens: 0 });
    expect(cost["tuned"]).toMatchObject({ steps: 4, sampledTokens: 7, teacherTokens: 5 });
    expect(arms["tuned"]?.["heldOut.loss"]?.values).toHaveProperty("1");
    const report = readFileSync(join(plan.folder, "report.md"), "utf8");
    expect(report).toContain("| tuned | sft → rows → tuned | +rows +tuned |");
    expect(report).toContain("several arms or seeds share was paid once");

    const events: string[] = [];
    const again = { report: ({ type }: StageEvent) => events.push(type) };
    expect((await doing(plan, again)).cost).toEqual(cost);
    expect(arms["tuned"]?.["rows.answerLeak"]?.mean).toBe(0.5);
    expect(arms["sft"]).not.toHaveProperty(["rows.answerLeak"]);
    expect(events).toEqual(["found", "found", "found"]);
    expect(written(plan, "ablation.json")["configs"]).toHaveProperty("tuned.rows");
  });

  test("that fail take with them what needs them, and nothing else", async () => {
    const rows: Stage = { name: "rows", collect: { fail: true, backend: "cpu" } };
    const data = { type: "file", path: "stage:rows" };
    const tuned: Stage = { name: "tuned", run: run({ ...quick, data }) };
    const plan = await planOf({ sft: [sft], tuned: [rows, tuned] }, { seeds: [1] });
    const events: StageEvent[] = [];
    const results = await doing(plan, { report: (event: StageEvent) => events.push(event) });
    expect(results.finished).toBe(false);
    expect(results.failed).toEqual([
      {
        ...{ arm: "tuned", seed: 1 },
        message: expect.stringMatching(/^rows of tuned, seed 1, which it needs, failed: .*no rows/),
      },
    ]);
    expect(Object.keys(results.arms["sft"] ?? {})).toContain("heldOut.loss");
    const [root, other] = events.filter(({ type }) => type === "failed");
    expect([root, other].map((event) => event && nameOf(event))).toEqual(["rows", "tuned"]);
  });

  test("are made by one process at a time", async () => {
    const plan = await planOf({ sft: [sft] }, { seeds: [1] });
    mkdirSync(plan.folder, { recursive: true });
    const lock = await lockRun(plan.folder);
    await expect(doing(plan)).rejects.toThrow(/is running the ablation of this folder/);
    await lock.release();
    await doing(plan);
    expect(existsSync(join(plan.folder, "run.lock"))).toBe(false);
  });

  test("that were stopped continue: a run from its checkpoint, a collect from the start", async () => {
    const long = { ...quick, trainer: { ...small, steps: 4 }, checkpoint: { every: 1 } };
    const plan = await planOf({ a: [{ ...sft, run: run(long) }] }, { seeds: [1] });
    const stop = new AbortController();
    const seen: number[] = [];
    const report = (event: StageEvent) => {
      if (event.type !== "step") return;
      seen.push(event.step);
      if (event.step === 2) stop.abort();
    };
    expect((await doing(plan, { signal: stop.signal, report })).finished).toBe(false);
    expect((await doing(plan, { report })).finished).toBe(true);
    expect(seen).toEqual([1, 2, 3, 4]);
  });
});

test("stages start when what they need is there, as many at once as there are processes", async () => {
  const folder = temporaryFolder();
  const stage = (id: string, needs: string[] = []): PlannedStage =>
    ({
      ...{ id, needs, name: id, seed: 1, arms: ["a"], mark: "stage.json", kind: "collect" },
      ...{ folder: join(folder, id), config: {} },
    }) as const;
  const stages = [stage("a"), stage("b", ["a"]), stage("c"), stage("d", ["b", "c"])];
  const log: string[] = [];
  let running = 0;
  let most = 0;
  let second = false;
  // a ends when c has begun, c when b has, b when c has ended.
  const until = { a: "+c", c: "+b", b: "-c" } as Readonly<Record<string, string>>;
  const worker: Worker = async ({ id, folder: place }) => {
    most = Math.max(most, (running += 1));
    log.push(`+${id}`);
    while (!second && id in until && !log.includes(until[id] as string)) await setImmediate();
    mkdirSync(place, { recursive: true });
    for (const file of ["collect.json", "stage.json"]) writeFileSync(join(place, file), "{}");
    log.push(`-${id}`);
    running -= 1;
    return { type: "done" };
  };
  await runStages(stages, { folder, processes: 2, worker, report: () => undefined });
  expect(most).toBe(2);
  expect(log).toEqual(["+a", "+c", "-a", "+b", "-c", "-b", "+d", "-d"]);
  rmSync(join(folder, "c/stage.json"));
  log.length = 0;
  second = true;
  await runStages(stages, { folder, processes: 2, worker, report: () => undefined });
  expect(log).toEqual(["+c", "-c"]);
});

describe("a file with stages", () => {
  const file = (changes: object = {}) => {
    const path = join(temporaryFolder(), "chain.json");
    const stages = {
      sft: { run: tiny },
      more: { run: { ...tiny, student: { from: "stage:sft" } } },
    };
    const arms = {
      sft: { last: "sft" },
      more: {},
      fast: { "more.trainer.learningRate": 0.01 },
    };
    writeFileSync(path, JSON.stringify({ name: "chain", seeds: 1, stages, arms, ...changes }));
    return path;
  };

  test("has arms that end where they say, and change stages by path", async () => {
    const plan = await planAblation(file(), ["sft.trainer.steps=9"], { folder: "f" });
    expect(plan.cells.map(({ arm, chain }) => [arm, chain.map(({ name }) => name).join()])).toEqual(
      [
        ["sft", "sft"],
        ["more", "sft,more"],
        ["fast", "sft,more"],
      ],
    );
    expect(plan.stages).toHaveLength(3);
    expect(plan.stages[0]?.config).toMatchObject({ trainer: { steps: 9 } });
    expect(plan.cells[2]?.config.trainer.learningRate).toBe(0.01);
  });

  test.each<[string, object, RegExp]>([
    [
      "an unknown stage in an arm",
      { arms: { a: {}, b: { "mor.x": 1 } } },
      /b\.mor\.x: there is no stage "mor".*Did you mean "more"/,
    ],
    [
      "an unknown last stage",
      { arms: { a: {}, b: { last: "x" } } },
      /arms\.b: last: there is no stage "x"/,
    ],
    [
      "a change of a stage that the arm does not come to",
      { arms: { a: {}, b: { last: "sft", "more.trainer.steps": 1 } } },
      /b\.more\.trainer\.steps: the arm does not come to the stage "more"/,
    ],
    [
      "a seed of a stage",
      { arms: { a: {}, b: { "more.seed": 1 } } },
      /"more.seed" is set by the runner/,
    ],
    [
      "a circle",
      {
        stages: {
          a: { run: { ...tiny, student: { from: "stage:b" } } },
          b: { run: { ...tiny, student: { from: "stage:a" } } },
        },
        arms: { x: {}, y: { last: "a" } },
      },
      /in a circle: b → a → b/,
    ],
    ["both a run and stages", { run: tiny }, /either a run or stages/],
    [
      "a stage of two kinds",
      { stages: { a: { run: tiny, collect: {} } } },
      /give one of `run` .* and `choose`/,
    ],
  ])("is refused for %s", async (_what, changes, message) => {
    await expect(planAblation(file(changes), [])).rejects.toThrow(message);
  });
});
