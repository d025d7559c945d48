import { afterEach, describe, expect, test } from "vitest";
import {
  characterTokenizer,
  decodeCompletion,
  type Problem,
  taskConfigSchema,
  taskSource,
} from "../../../../src/data/index.js";
import type { Decoder } from "../../../../src/models/index.js";
import {
  ownDistribution,
  runSampler,
  type SampledRow,
  type SamplerContext,
  samplerSchema,
} from "../../../../src/rollouts/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { bigramModel } from "../../../setup/models/bigram-model.js";

const models: Decoder[] = [];
afterEach(() => {
  for (const model of models.splice(0)) model.dispose();
});

/** What comes after a character, with its probability; "." is the end. */
type Habits = (last: string) => Readonly<Record<string, number>>;

/** Certain of one text: character after character, then the end. */
const certainOf =
  (text: string): Habits =>
  (last) => {
    const at = text.indexOf(last);
    return { [text[at + 1] ?? "."]: 1 };
  };

function setUp(task: object, teacherHabits: Habits, changes: Partial<SamplerContext> = {}) {
  const source = taskSource(taskConfigSchema.parse(task));
  const tokenizer = characterTokenizer({ alphabet: `${source.alphabet ?? ""}§¤` });
  const end = tokenizer.endIds[0] as number;
  const idOf = (text: string) => (text === "." ? end : (tokenizer.encode(text)[0] as number));
  const model = (habits: Habits) => {
    const made = bigramModel(tokenizer.vocabSize, (id) => {
      const next = Object.entries(habits(tokenizer.decode([id])));
      return new Map(next.map(([text, p]) => [idOf(text), p]));
    });
    models.push(made);
    return made;
  };
  const problems = Array.from({ length: 4 }, (_, i) => source.problem("train", i, new Random(3)));
  const context: SamplerContext = {
    ...{ problems: source, tokenizer, policy: ownDistribution, maxNewTokens: 40 },
    ...{ student: model(certainOf("42")), teacher: model(teacherHabits) },
    random: new Random(5),
    ...changes,
  };
  const run = async (config: object, asked: readonly Problem[] = problems) => {
    const sampled = await runSampler(samplerSchema.parse(config), asked, context);
    const text = ({ promptIds, completionIds }: SampledRow) =>
      decodeCompletion(tokenizer, promptIds, completionIds);
    return { ...sampled, texts: sampled.rows.map(text) };
  };
  return { run, source };
}

const addition = { type: "addition", maxDigits: 1 };
const chain = { type: "chain", wording: "symbols", maxHops: 2, style: "compact" };
const certain = certainOf("71");

describe("a certain teacher is what is heard", () => {
  test.each([
    [{ type: "plain", by: "teacher" }],
    [{ type: "plain", by: "teacher", prefix: "§{answer}¤" }],
    [{ type: "budgeted", by: "teacher", budgets: [9] }],
    [{ type: "hinted", by: "teacher" }],
    [{ type: "tool-loop", by: "teacher" }],
    [{ type: "from-prefix", by: "teacher", start: "share", share: 0 }],
    [{ type: "diverse", by: "teacher", distinct: 1 }],
    [{ type: "mixed", threshold: 0, topK: 20 }],
    [{ type: "teacher-mixed", teacherShare: 1 }],
  ])("%j", async (config) => {
    const task = config.type === "tool-loop" ? { type: "tool", maxHops: 1 } : addition;
    const { run } = setUp(task, certain);
    const { rows, texts, cost } = await run(config);
    expect(new Set(texts)).toEqual(new Set(["71"]));
    expect(rows.every(({ finished }) => finished)).toBe(true);
    if (config.type !== "teacher-mixed") {
      expect(rows.flatMap(({ own }) => own).every((mine) => mine === 0)).toBe(true);
    }
    // Two characters and the end.
    expect(cost.teacherForwards).toBeGreaterThanOrEqual(3 * rows.length);
    // The student, asked in its place, says what it is certain of.
    if (!("by" in config)) return;
    expect(new Set((await run({ ...config, by: "student" })).texts)).toEqual(new Set(["42"]));
  });
});

test("a teacher that takes over writes behind the student's last right step", async () => {
  const { run } = setUp(chain, certain);
  // The student's 42 is a wrong answer, so that nothing of it stays.
  const { texts, measures } = await run({ type: "takeover", by: "teacher" });
  expect(new Set(texts)).toEqual(new Set(["71"]));
  expect(measures?.["takenOverRate"]).toBe(1);
});

test("a teacher that guides writes behind the attempt and what is said of it", async () => {
  const { run } = setUp(chain, certain);
  const config = { type: "guided-continue", by: "teacher", samplesPerProblem: 2, share: 0.5 };
  const { texts } = await run(config);
  expect(texts.filter((text) => text === "42")).toHaveLength(4);
  expect(texts.filter((text) => text === "42\nwait\n71")).toHaveLength(4);
});

test("a teacher's right traces are put in for failures", async () => {
  const task = { ...addition, style: "direct" };
  const { source } = setUp(task, certain);
  const asked = source.problem("train", 0, new Random(3));
  const { run } = setUp(task, certainOf(asked.answer));
  const config = { type: "inject", from: "teacher", samplesPerProblem: 2, most: 1 };
  const { texts, rows } = await run({ ...config, choose: "random" }, [asked]);
  expect([...texts].sort()).toEqual(["42", asked.answer].sort());
  const injected = rows.find(({ own }) => own.every((mine) => mine === 0));
  expect(injected?.finished).toBe(true);
});

test("a teacher that is not certain is drawn from as often as it says", async () => {
  const habits: Habits = (last) =>
    last === "7" || last === "1" ? { ".": 1 } : { "7": 0.25, "1": 0.75 };
  const { run } = setUp(addition, habits);
  const { texts, rows } = await run({ type: "plain", by: "teacher", samplesPerProblem: 200 });
  const sevens = texts.filter((text) => text === "7").length;
  expect(texts.filter((text) => text === "1").length + sevens).toBe(800);
  // 200 are expected, with a standard deviation of 12.
  expect(sevens).toBeGreaterThan(150);
  expect(sevens).toBeLessThan(250);
  for (const [i, row] of rows.entries()) {
    expect(row.writerLogProbs?.[0]).toBeCloseTo(Math.log(texts[i] === "7" ? 0.25 : 0.75), 3);
  }
});
