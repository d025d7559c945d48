import { describe, expect, test } from "vitest";
import {
  type PairMakerConfig,
  pairMakerSchema,
  type Problem,
  runPairMaker,
  runTraceSteps,
  taskConfigSchema,
  taskSource,
  type Trace,
  type TraceContext,
  traceStepSchema,
} from "../../../../src/data/index.js";
import { Random } from "../../../../src/tensors/index.js";

const source = taskSource(
  taskConfigSchema.parse({ type: "chain", wording: "symbols", minHops: 2, maxHops: 3 }),
);
const problems = Array.from({ length: 12 }, (_, i) => source.problem("train", i, new Random(1)));
const context: TraceContext = {
  problems: source,
  random: new Random(2),
  countTokens: (text) => text.length,
  logProbs: (traces) =>
    Promise.resolve(
      traces.map(({ completion }) => Array.from(completion, (c) => (c === "z" ? -9 : -1))),
    ),
};

function trace(problem: Problem, completion: string, changes: Partial<Trace> = {}): Trace {
  const { correct, answer } = source.verify(problem, completion);
  return {
    ...{ problem, prompt: problem.prompt, completion, finished: true, correct, answer },
    ...{ source: "student", tokens: completion.length, ...changes },
  };
}

const solve = (problem: Problem, options: object) =>
  source.solve?.(problem, { errorRate: 0, ...options }, new Random(4)) as string;
const right = problems.map((problem) => trace(problem, solve(problem, {})));
const wrong = problems.map((problem) => trace(problem, solve(problem, { errorRate: 1 })));

async function apply(config: object, traces: readonly Trace[]): Promise<readonly Trace[]> {
  return (await runTraceSteps(traces, [traceStepSchema.parse(config)], context)).traces;
}
const texts = (traces: readonly Trace[]) => traces.map(({ completion }) => completion);
const first = problems[0] as Problem;

describe("filters", () => {
  const letters = (...answers: string[]) =>
    answers.map((answer, i) => trace(first, answer, { answer, correct: false, tokens: i + 1 }));

  test("majority-wrong keeps the first right and the commonest wrong answer", async () => {
    const group = [...letters("1", "2", "2"), right[0] as Trace, ...letters("3")];
    expect(texts(await apply({ type: "majority-wrong" }, group))).toEqual([
      right[0]?.completion,
      "2",
    ]);
    await expect(apply({ type: "majority-wrong" }, letters("1", "2"))).rejects.toThrow(
      "left nothing of 2 traces (0 of them right",
    );
  });

  test("contrastable and solve-rate look at all traces of a problem", async () => {
    const mixed = [right[0], wrong[0], right[1], wrong[2]] as Trace[];
    expect(await apply({ type: "contrastable" }, mixed)).toEqual([right[0], wrong[0]]);
    const hard = { type: "solve-rate", minimum: 0.1, maximum: 0.5 };
    expect(await apply(hard, mixed)).toEqual([right[0], wrong[0]]);
  });

  test("solve-rate can go by the attempts of an earlier collection", async () => {
    const tries = new Map([
      [right[0]?.problem.id, [true, false, false, false]],
      [right[1]?.problem.id, [true, true]],
    ]);
    const given = ({ id }: Problem) => (tries.get(id) ?? []).map((correct) => ({ correct }));
    const kept = async (config: object, more: Partial<TraceContext> = { given }) => {
      const step = traceStepSchema.parse({ type: "solve-rate", of: "given", ...config });
      return (await runTraceSteps(right.slice(0, 3), [step], { ...context, ...more })).traces;
    };
    expect(await kept({ maximum: 0.25 })).toEqual([right[0]]);
    expect(await kept({ minimum: 0.5 })).toEqual([right[1]]);
    // The third was never tried: nothing is known of it.
    expect(await kept({})).toEqual([right[0], right[1]]);
    await expect(apply({ type: "solve-rate", of: "given" }, right)).rejects.toThrow(
      "earlier traces is asked for, and none are given",
    );
  });

  test("learnability, min-prob and comprehension ask the student", async () => {
    const some = letters("a", "za", "zz");
    const best = { type: "learnability", best: 1 };
    expect(texts(await apply(best, some))).toEqual(["a"]);
    expect(texts(await apply({ ...best, order: "unlikeliest" }, some))).toEqual(["zz"]);
    expect(texts(await apply({ type: "learnability", minimum: -5 }, some))).toEqual(["a", "za"]);
    expect(texts(await apply({ type: "min-prob", share: 0.5 }, some))).toEqual(["a", "za"]);
    const known = { type: "comprehension", minimum: Math.exp(-1) - 1e-9 };
    expect(await apply(known, [right[0] as Trace, ...some])).toEqual([right[0]]);
    await expect(apply({ type: "learnability", under: "writer" }, some)).rejects.toThrow(
      "no likelihood under its writer",
    );
  });

  test("diversity goes from the first to the farthest; equal traces never count twice", async () => {
    const some = letters("aaaa", "aaab", "aaaa", "bbbb");
    expect(texts(await apply({ type: "diversity", keep: 2 }, some))).toEqual(["aaaa", "bbbb"]);
    expect(await apply({ type: "diversity", keep: 9 }, some)).toHaveLength(3);
    expect(await apply({ type: "diversity", keep: 9, minimum: 0.5 }, some)).toHaveLength(2);
  });

  test("dedupe, length-band, source and limit", async () => {
    const some = letters("a", "a", "b", "c");
    expect(texts(await apply({ type: "dedupe" }, some))).toEqual(["a", "b", "c"]);
    const band = { type: "length-band", minimum: 2, maximum: 3 };
    expect(texts(await apply(band, some))).toEqual(["a", "b"]);
    expect(texts(await apply({ type: "limit", perProblem: 2 }, some))).toEqual(["a", "a"]);
    expect(await apply({ type: "limit", tokens: 6 }, some)).toHaveLength(3);
    expect(await apply({ type: "limit", rows: 3, order: "random" }, some)).toHaveLength(3);
    await expect(apply({ type: "source", sources: ["nobody"] }, some)).rejects.toThrow(
      "left nothing",
    );
  });
});

describe("transforms", () => {
  test("compress takes the first style that fits, right traces stay right", async () => {
    const config = { type: "compress", budgets: [12, 200], prefix: "§{budget}¤" };
    const rows = await apply(config, right);
    for (const { tokens, prompt, correct } of rows) {
      expect(correct).toBe(true);
      expect(tokens).toBeLessThanOrEqual(prompt.startsWith("§12¤") ? 12 : 200);
    }
    expect(rows.filter(({ prompt }) => prompt.startsWith("§200¤"))).toHaveLength(12);
    const lines = await apply({ type: "compress", by: "lines", budgets: [20] }, right);
    expect(lines.every(({ source: who }) => who === "student, lines dropped")).toBe(true);
    expect(lines.every(({ completion }) => !completion.includes("\n"))).toBe(true);
  });

  test("difficulty-rewrite writes more where the traces fail", async () => {
    const both = [right[0], right[0], wrong[1], wrong[1]] as Trace[];
    const rows = await apply({ type: "difficulty-rewrite" }, both);
    expect(rows.map(({ source: who }) => who)).toEqual(["oracle terse", "oracle full"]);
    expect(rows.every(({ correct }) => correct)).toBe(true);
  });

  test("skill-prune takes out detours, restatements and repeated checks", async () => {
    const talking = problems.map((problem) => trace(problem, solve(problem, { verbosity: 1 })));
    const pruned = await apply({ type: "skill-prune" }, talking);
    for (const [i, row] of pruned.entries()) {
      const lines = row.completion.split("\n");
      const checks = lines.filter((line) => line.startsWith("check "));
      expect(checks.length).toBeLessThanOrEqual(1);
      const plain = lines.filter((line) => !line.startsWith("check ")).join("\n");
      expect(plain).toBe(right[i]?.completion);
      expect(row.correct).toBe(true);
    }
  });

  test("mistake-feedback shows a right solution, and the first mistake", async () => {
    const rows = await apply({ type: "mistake-feedback" }, [...wrong, right[0] as Trace]);
    expect(rows).toHaveLength(24);
    const [rationale, feedback] = rows;
    expect(rationale?.completion).toBe(right[0]?.completion);
    expect(feedback?.prompt).toBe(`${first.prompt}${wrong[0]?.completion}¤`);
    const [error, rest] = (feedback?.completion ?? "").split("§");
    expect(wrong[0]?.completion).toContain(error);
    expect(right[0]?.completion.endsWith(rest as string)).toBe(true);
  });

  test("multi-view writes the answer once and each trace in its view", async () => {
    const other = trace(first, solve(first, { style: "terse" }), { source: "oracle terse" });
    const views = [
      { prefix: "§", completion: "answer", repeat: 2 },
      { prefix: "¤", sources: ["oracle terse"] },
    ];
    const rows = await apply({ type: "multi-view", views }, [right[0] as Trace, other]);
    expect(rows.map(({ prompt, completion }) => [prompt[0], completion])).toEqual([
      ["§", first.answer],
      ["§", first.answer],
      ["¤", other.completion],
    ]);
  });

  test("hierarchical-template adds keys and their summary, and the answer stays", async () => {
    const [row] = await apply({ type: "hierarchical-template" }, [right[0] as Trace]);
    const lines = (row?.completion ?? "").split("\n");
    const keys = lines.slice(0, -2).map((line) => /§(.)$/.exec(line)?.[1]);
    expect(lines.at(-2)).toBe(`¤${keys.join(" ")}`);
    expect(lines.at(-1)).toBe(first.answer);
    expect(row?.correct).toBe(true);
  });

  test("with-prefix tells the answer, and a right and a wrong trace where the problem has both", async () => {
    const mixed = [right[0], right[1], wrong[0]] as Trace[];
    const { answer, prompt } = first;
    const told = await apply({ type: "with-prefix", prefix: "§{answer}¤" }, mixed.slice(0, 1));
    expect(told.map((row) => row.prompt)).toEqual([`§${answer}¤${prompt}`]);
    const hinted = await apply({ type: "with-prefix", prefix: "{good}|{bad}|" }, mixed);
    const shown = `${right[0]?.completion}|${wrong[0]?.completion}|${prompt}`;
    expect(hinted.map((row) => row.prompt)).toEqual([shown, shown]);
    expect(texts(hinted)).toEqual([right[0]?.completion, wrong[0]?.completion]);
    await expect(apply({ type: "with-prefix", prefix: "{hidden}" }, mixed)).rejects.toThrow(
      "{hidden} stands for nothing here",
    );
  });

  test("explanation takes the answer off; what gives it away is dropped, masked or kept", async () => {
    const problem = { ...first, answer: "12" };
    const some = ["a=5;12", "12;b:12", "112 is not it:12", "7", "12"].map((text) =>
      trace(problem, text, { finished: text !== "7" }),
    );
    const left = async (options: object) =>
      (await apply({ type: "explanation", ...options }, some)).map(
        ({ completion, finished, tokens }) => [completion, finished, tokens],
      );
    expect(await left({})).toEqual([
      ["a=5;", true, 4],
      ["112 is not it:", true, 14],
      ["7", false, 1],
    ]);
    const masked = await left({ separator: ":", leaks: "mask", mask: "#" });
    expect(masked.map(([text]) => text)).toEqual(["a=5;#", "#;b", "112 is not it", "7", "#"]);
    const kept = await left({ leaks: "keep" });
    expect(kept.map(([text]) => text)).toEqual(["a=5;", "12;b:", "112 is not it:", "7"]);
  });

  test("with-answer makes whole traces of explanations, judged again", async () => {
    const style = await apply({ type: "explanation", leaks: "keep" }, right.slice(0, 3));
    expect(style.map(({ correct }) => correct)).not.toContain(true);
    const whole = await apply({ type: "with-answer", ending: "{answer}" }, style);
    expect(texts(whole)).toEqual(texts(right.slice(0, 3)));
    expect(whole.every(({ correct, finished }) => correct && finished)).toBe(true);
    expect(() => traceStepSchema.parse({ type: "with-answer", ending: "." })).toThrow(/answer/);
  });

  test("with-prefix fills in the tokens", async () => {
    const [row] = await apply({ type: "with-prefix", prefix: "{tokens}:" }, [right[0] as Trace]);
    expect(row?.prompt).toBe(`${right[0]?.tokens}:${first.prompt}`);
  });

  test("backward questions have the hidden operand for their only answer", async () => {
    const rows = await apply({ type: "backward", views: ["question", "backward"] }, right);
    expect(rows.length).toBeGreaterThan(4);
    for (const { prompt, completion, problem, source: who } of rows) {
      expect(who).toBe("backward");
      if (prompt.endsWith("§")) continue;
      const asked = /;(\w)\?$/.exec(prompt)?.[1];
      expect(prompt.split(";")).not.toContain(`${asked}=${problem.answer}`);
      const original = problems.find(({ id }) => id === problem.id)?.prompt.split(";");
      expect(original).toContain(`${asked}=${problem.answer}`);
      const steps = completion.split("\n");
      expect(steps.at(-1)?.endsWith(`= ${problem.answer}`)).toBe(true);
      for (const step of steps) {
        const [, a, sign, b, c] = /= (\d+) ([-+]) (\d+) = (\d+)$/.exec(step) ?? [];
        const sum = Number(a) + (sign === "+" ? 1 : -1) * Number(b);
        expect(((sum % 100) + 100) % 100).toBe(Number(c));
      }
    }
    const { backward: _backward, ...others } = source;
    const step = [traceStepSchema.parse({ type: "backward" })];
    await expect(runTraceSteps(right, step, { ...context, problems: others })).rejects.toThrow(
      "task chain cannot turn its questions round.",
    );
  });
});

describe("pairs", () => {
  const make = async (config: object, traces: readonly Trace[]) =>
    (await runPairMaker(traces, pairMakerSchema.parse(config) as PairMakerConfig, context)).pairs;

  test("contrastable pairs a right with a wrong trace of the problem", async () => {
    const pairs = await make({ type: "contrastable", perProblem: 9 }, [...right, ...wrong]);
    expect(pairs).toHaveLength(12);
    for (const { problem, chosen, rejected } of pairs) {
      expect(source.verify(problem, chosen).correct).toBe(true);
      expect(source.verify(problem, rejected).correct).toBe(false);
    }
  });

  test("first-error shares the right steps; together they are the right trace", async () => {
    for (const scope of ["step", "rest"]) {
      const pairs = await make({ type: "first-error", scope }, wrong);
      expect(pairs).toHaveLength(12);
      for (const pair of pairs) {
        const i = problems.findIndex(({ id }) => id === pair.problem.id);
        const shared = pair.prompt.slice(pair.problem.prompt.length);
        expect(wrong[i]?.completion.startsWith(shared + pair.rejected)).toBe(true);
        expect(right[i]?.completion.startsWith(shared + pair.chosen)).toBe(true);
        const isWhole = shared + pair.chosen === right[i]?.completion;
        expect(pair.chosenFinished ?? true).toBe(isWhole);
      }
    }
  });

  test("self-correction begins behind the wrong step; as much is rejected as is chosen", async () => {
    const lines = (text: string) => text.trim().split("\n").length;
    for (const [scope, isWhole] of [
      ["step", false],
      ["rest", true],
    ] as const) {
      const pairs = await make({ type: "self-correction", scope }, wrong);
      expect(pairs).toHaveLength(12);
      for (const { problem, prompt, chosen, rejected } of pairs) {
        const i = problems.findIndex(({ id }) => id === problem.id);
        expect(prompt.endsWith("\nwait\n")).toBe(true);
        const asWritten = wrong[i]?.completion ?? "";
        const shown = prompt.slice(problem.prompt.length).replace("\nwait\n", "");
        expect(right[i]?.completion).toContain(chosen.trim());
        if (asWritten === shown) {
          // It ended with its mistake, and would repeat it.
          expect(shown.endsWith(rejected)).toBe(true);
        } else if (isWhole) {
          expect(asWritten).toBe(`${shown}\n${rejected}`);
        } else {
          expect(asWritten.startsWith(`${shown}\n${rejected}`)).toBe(true);
          expect([lines(chosen), lines(rejected)]).toEqual([1, 1]);
        }
      }
    }
  });

  test("best-worst takes the shortest right and the longest wrong trace", async () => {
    const terse = trace(first, solve(first, { style: "terse" }));
    const group = [right[0], terse, wrong[0], trace(first, "1")] as Trace[];
    const [pair] = await make({ type: "best-worst" }, group);
    expect(pair).toMatchObject({ chosen: terse.completion, rejected: wrong[0]?.completion });
  });
});
