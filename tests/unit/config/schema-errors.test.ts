import { expect, test } from "vitest";
import { parseConfig, runConfigSchema } from "../../../src/config/index.js";

const valid = () => ({
  name: "run",
  student: { architecture: { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 } },
  data: { type: "text", path: "input.txt" },
  trainer: { type: "distill", steps: 10, loss: [{ type: "reverse-kl" }] as object[] },
});

const messageFor = (change: (config: ReturnType<typeof valid>) => unknown): string => {
  const config = valid();
  const changed = change(config) ?? config;
  try {
    parseConfig(runConfigSchema, changed, "run.json");
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
};

test("a small config is accepted and completed", () => {
  const config = parseConfig(runConfigSchema, valid(), "run.json");
  expect(config.trainer.optimizer.beta1).toBe(0.9);
  expect(config.evaluation.sampling.greedy).toBe(true);
});

test("an unknown key names its path and the nearest field", () => {
  expect(messageFor((c) => ({ ...c, trainer: { ...c.trainer, stepz: 3 } }))).toContain(
    'run.json: trainer.stepz is not a field. Did you mean "steps"?',
  );
});

test("a typo in the options of a loss names the term", () => {
  const change = (c: ReturnType<typeof valid>) => {
    c.trainer.loss = [{ type: "reverse-kl", temprature: 2 }];
  };
  expect(messageFor(change)).toContain(
    'trainer.loss.0.temprature is not a field. Did you mean "temperature"?',
  );
});

test("a typo in a loss name lists the losses", () => {
  const change = (c: ReturnType<typeof valid>) => {
    c.trainer.loss = [{ type: "reverse-kll" }];
  };
  const message = messageFor(change);
  expect(message).toContain('trainer.loss.0.type is "reverse-kll". Did you mean "reverse-kl"?');
  expect(message).toContain("forward-kl");
});

test("a typo in a teacher whose type is left out names the nearest field", () => {
  expect(messageFor((c) => ({ ...c, teacher: { form: "a" } }))).toContain(
    'teacher.form is not a field. Did you mean "from"?',
  );
});

test("a wrong type says what was given and what is expected", () => {
  expect(messageFor((c) => ({ ...c, seed: "seven" }))).toContain(
    'seed is "seven", expected number',
  );
});

test("a missing field is named", () => {
  expect(messageFor(({ name: _name, ...rest }) => rest)).toContain("name is missing");
});

test("a bad choice lists the allowed ones", () => {
  expect(messageFor((c) => ({ ...c, backend: "webgp" }))).toContain(
    'backend is "webgp". Did you mean "webgpu"?',
  );
});

test("several problems are listed together", () => {
  expect(messageFor((c) => ({ ...c, seed: -1, backend: "gpu" }))).toContain("2 problems:");
});

test("a student needs exactly one origin", () => {
  expect(messageFor((c) => ({ ...c, student: {} }))).toContain("give either `from`");
});

test("a check of several fields shows the value of the one that it names", () => {
  expect(messageFor((c) => ({ ...c, student: { ...c.student, lora: { rank: 2 } } }))).toMatch(
    /^run\.json: student\.lora is \{"rank":2.*\}: an adapter needs [^.]*[^.]\.$/,
  );
});

test("a missing tuple is a missing list", () => {
  expect(messageFor((c) => ({ ...c, teacher: { type: "bimodal" } }))).toBe(
    "run.json: teacher.offsets is missing (expected list).",
  );
});
