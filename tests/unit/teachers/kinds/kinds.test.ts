import { describe, expect, test } from "vitest";
import {
  kindsThatGive,
  teacherSchema,
  type TeacherSignal,
} from "../../../../src/teachers/index.js";

test("which kinds can give what", () => {
  const all = [
    "bimodal",
    "hidden-markov",
    "hidden-states",
    "http",
    "mixture",
    "model",
    "n-gram",
    "onnx",
    "recorded",
    "self",
  ];
  const kinds = (...signals: TeacherSignal[]) => kindsThatGive(signals).sort();
  const without = (...names: string[]) => all.filter((name) => !names.includes(name));
  expect(kinds("teacherTokenLogProbs", "teacherTokenIds", "teacherTopLogProbs")).toEqual(all);
  expect(kinds("teacherLogits")).toEqual(without("http", "recorded"));
  expect(kinds("teacherSampleLogProbs")).toEqual(without("http"));
  expect(kinds("teacherHiddenStates", "teacherLogits")).toEqual(["model", "self"]);
});

describe("a mixture", () => {
  const problems = (mixture: object) => {
    const parsed = teacherSchema.safeParse({ type: "mixture", ...mixture });
    if (parsed.success) return [];
    return parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  };
  const [a, b] = [{ from: "a" }, { from: "b" }].map((each) => ({ type: "model", ...each }));

  test("of probabilities has weights and how many tokens, but no rules", () => {
    expect(problems({ teachers: [{ ...a, weight: 2 }, b], topK: 4 })).toEqual([]);
    expect(problems({ teachers: [a, { ...b, when: { prompt: "x" } }] })).toEqual([
      'teachers.1.when: has no effect: set mode to "route"',
    ]);
  });

  test("by route has rules, of which only the last may be missing, and nothing else", () => {
    const when = { prompt: "x" };
    const mode = "route";
    expect(problems({ mode, teachers: [{ ...a, when }, b] })).toEqual([]);
    expect(problems({ mode, teachers: [a, b] })).toEqual([
      "teachers.0: takes every row, so no teacher after it gets any: give it a `when`",
    ]);
    expect(problems({ mode, teachers: [{ ...a, when, weight: 1 }, b] })).toEqual([
      'teachers.0.weight: has no effect: set mode to "probabilities"',
    ]);
    for (const option of ["topK", "samples"]) {
      expect(problems({ mode, teachers: [{ ...a, when }, b], [option]: 4 })).toEqual([
        `${option}: belongs to each of the teachers`,
      ]);
    }
  });
});

test("the average of oneself: a decay of 1 never moves from where it began", () => {
  const isValid = (emaDecay: number) => teacherSchema.safeParse({ type: "self", emaDecay }).success;
  expect([-0.1, 0, 0.999, 1, 1.1].map(isValid)).toEqual([false, true, true, true, false]);
});

test("what nobody sets is the documented default", () => {
  const given = {
    "hidden-markov": {},
    "n-gram": { path: "t.txt" },
    bimodal: { offsets: [1, 4] },
    http: { server: "vllm", url: "http://localhost", tokenizer: "t" },
    mixture: { teachers: [{ type: "hidden-markov" }] },
  };
  const defaults: Record<keyof typeof given, object> = {
    "hidden-markov": { states: 8, seed: 1, transitionSharpness: 2, emissionSharpness: 2 },
    "n-gram": { order: 3, smoothing: { type: "interpolated", lambda: 0.8 } },
    bimodal: { weight: 0.5, width: 1 },
    http: { topK: 20, timeoutSeconds: 60, retries: 5 },
    mixture: { mode: "probabilities" },
  };
  for (const [type, expected] of Object.entries(defaults)) {
    const options = given[type as keyof typeof given];
    expect(teacherSchema.parse({ type, ...options }), type).toMatchObject(expected);
  }
  const separated = (separator: string) =>
    teacherSchema.safeParse({ type: "n-gram", path: "t.txt", separator }).success;
  expect([separated("|"), separated("")]).toEqual([true, false]);
  const addK = { type: "n-gram", path: "t.txt", smoothing: { type: "add-k" } };
  expect(teacherSchema.parse(addK)).toMatchObject({ smoothing: { k: 0.1 } });
});
