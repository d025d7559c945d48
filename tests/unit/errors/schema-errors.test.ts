import { describe, expect, test } from "vitest";
import { z } from "zod";
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

test("a value that is nested too deeply to be copied is refused by its path", () => {
  const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`) as unknown;
  for (const other of [{}, { teacher: null }, { trainer: { ...valid().trainer, packing: null } }]) {
    const message = messageFor((c) => ({ ...c, ...other, evaluation: deep }));
    expect(message).toMatch(/evaluation is \[.*expected object/);
  }
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

test.each([
  ["steps", 'steps is not a field. Did you mean "trainer.steps"?'],
  ["learning_rate", 'Did you mean "trainer.learningRate"?'],
  ["every", 'Did you mean "evaluation.every" or "checkpoint.every" or "trainer.replay.every"?'],
  ["loss", 'Did you mean "losses" or "trainer.loss"?'],
  ["hiddenSize", 'Did you mean "student.architecture.hiddenSize"?'],
  ["SEED", 'Did you mean "seed"?'],
  ["xyz", "xyz is not a field. Allowed: name,"],
])("a field %s at the top", (key, message) => {
  expect(messageFor((c) => ({ ...c, [key]: 1 }))).toContain(message);
});

test.each([
  ["a field of that name in another part", { teacher: { from: "a", path: "b" } }, "teacher.path"],
  ["one at the top", { student: { from: "a", seed: 1 } }, "student.seed"],
])("%s is not what was meant", (_what, fields, field) => {
  const message = messageFor((c) => ({ ...c, ...fields }));
  expect(message).toMatch(new RegExp(`^run\\.json: ${field} is not a field\\. Allowed: `));
});

test("a field of that name deeper in the same part is", () => {
  expect(messageFor((c) => ({ ...c, student: { ...c.student, hiddenSize: 8 } }))).toContain(
    'student.hiddenSize is not a field. Did you mean "student.architecture.hiddenSize"?',
  );
});

test("a union within a form of data is not taken for the form's name", () => {
  const data = (fields: object) => messageFor((c) => ({ ...c, data: { type: "file", ...fields } }));
  expect(data({})).toBe("run.json: data.path is missing (expected string or list).");
  expect(data({ path: "a", lengthBuckets: "x" })).toBe(
    'run.json: data.lengthBuckets is "x", expected boolean or number.',
  );
});

test("a type where there is none is no type of something else", () => {
  const optimizer = { type: "adam" };
  expect(messageFor((c) => ({ ...c, trainer: { ...c.trainer, optimizer } }))).toContain(
    "trainer.optimizer.type is not a field. Allowed: beta1,",
  );
});

test("a name that is near nothing is not guessed at", () => {
  expect(messageFor((c) => ({ ...c, backend: "quantum" }))).toMatch(
    /backend is "quantum"\. Allowed: auto/,
  );
});

test("null leaves out what may be left out, and only that", () => {
  const nulls = (c: ReturnType<typeof valid>) => ({
    ...c,
    teacher: null,
    seed: null,
    evaluation: { maxNewTokens: null },
    student: { ...c.student, from: null },
  });
  expect(messageFor(nulls)).toBe("accepted");
  const config = parseConfig(runConfigSchema, nulls(valid()), "run.json");
  expect(config).toMatchObject({ seed: 1, student: { architecture: { hiddenSize: 8 } } });
  expect(config).not.toHaveProperty("teacher");
  // Where null says something of its own, it is kept.
  const kept = { ...valid(), trainer: { ...valid().trainer, maxGradNorm: null } };
  expect(parseConfig(runConfigSchema, kept, "run.json").trainer.maxGradNorm).toBeNull();
  expect(messageFor((c) => ({ ...c, name: null }))).toBe(
    "run.json: name is null, expected string.",
  );
});

describe("no wording of zod's own", () => {
  const messageOf = (schema: z.ZodType, input: unknown): string => {
    try {
      parseConfig(z.strictObject({ field: schema }), { field: input }, "c");
    } catch (error) {
      return (error as Error).message;
    }
    return "accepted";
  };
  const even = z.array(z.strictObject({ a: z.int() })).min(1);

  test.each([
    ["invalid_type", z.number(), [], "c: field is [], expected number."],
    ["invalid_type, whole", z.int(), 1.5, "c: field is 1.5, expected whole number."],
    [
      "invalid_type, infinite",
      z.number(),
      Infinity,
      "c: field is Infinity, expected finite number.",
    ],
    ["too_small, number", z.int().min(1), 0, "c: field is 0: expected at least 1."],
    ["too_small, exclusive", z.number().positive(), 0, "c: field is 0: expected more than 0."],
    ["too_big, number", z.number().max(1), 2, "c: field is 2: expected at most 1."],
    ["too_big, exclusive", z.number().lt(1), 1, "c: field is 1: expected less than 1."],
    ["too_small, string", z.string().min(1), "", 'c: field is "": expected at least 1 character.'],
    ["too_small, list", even, [], "c: field is []: expected at least 1 entry."],
    ["too_big, list", z.array(z.int()).max(0), [1], "c: field is [1]: expected at most 0 entries."],
    ["tuple", z.tuple([z.int()]), [1, 2], "c: field is [1,2]: expected at most 1 entry."],
    ["not_multiple_of", z.number().multipleOf(2), 3, "c: field is 3: expected a multiple of 2."],
    ["invalid_format", z.string().regex(/^a/), "b", 'c: field is "b": expected /^a/.'],
    ["invalid_format, named", z.email(), "b", /^c: field is "b": expected .*\.$/],
    ["invalid_value", z.enum(["a", "b"]), "z", 'c: field is "z". Allowed: a, b.'],
    ["invalid_value, absent", z.literal("a"), undefined, "c: field is missing. Allowed: a."],
    ["unrecognized_keys", z.strictObject({}), { a: 1 }, "c: field.a is not a field. Allowed: ."],
    ["custom", z.string().refine(() => false), "a", 'c: field is "a": it is not allowed.'],
    [
      "invalid_key",
      z.record(z.string().min(2), z.int()),
      { b: 1 },
      "c: field.b: its name does not fit: expected at least 2 characters.",
    ],
    [
      "invalid_union of types",
      z.union([z.string(), even]),
      5,
      "c: field is 5, expected string or list.",
    ],
    [
      "invalid_union, absent",
      z.union([z.string(), even]),
      undefined,
      "c: field is missing (expected string or list).",
    ],
    [
      "invalid_union of a name and a type",
      z.union([z.literal("all"), even]),
      5,
      'c: field is 5, expected "all" or list.',
    ],
    [
      "invalid_union of a name, another one",
      z.union([z.literal("all"), even]),
      "al",
      'c: field is "al". Did you mean "all"? Allowed: all.',
    ],
    [
      "invalid_union, one near",
      z.union([z.string(), even]),
      [{ a: "x" }],
      'c: field.0.a is "x", expected number.',
    ],
    [
      "invalid_union, several near",
      z.union([z.string().min(3), z.string().regex(/^b/)]),
      "a",
      'c: field is "a": expected at least 3 characters. Or else: field is "a": expected /^b/.',
    ],
  ] as [string, z.ZodType, unknown, string | RegExp][])("%s", (_, schema, input, message) => {
    if (typeof message === "string") expect(messageOf(schema, input)).toBe(message);
    else expect(messageOf(schema, input)).toMatch(message);
  });

  test("whatever is put in the place of whatever field", () => {
    const configs = [
      valid(),
      { ...valid(), data: { type: "file", path: "a", lengthBuckets: true } },
      { ...valid(), data: { type: "task", task: { type: "addition", style: ["direct"] } } },
      { ...valid(), teacher: { type: "mixture", teachers: [{ from: "a" }, { from: "b" }] } },
      {
        ...valid(),
        teacher: { type: "http", protocol: "vllm", url: "http://a", model: "m", topK: 3 },
        evaluation: { sampling: { topK: 1 } },
        student: { from: "a", lora: { targets: ["q_proj"] } },
      },
    ];
    const values = [null, 0, -1, 0.5, 1e300, Infinity, "", "x", true, [], [[]], {}, { a: [1] }];
    let refused = 0;
    for (const config of configs) {
      for (const path of pathsOf(config)) {
        for (const value of values) {
          const changed = structuredClone(config) as object;
          let parent = changed as Record<string, unknown>;
          for (const key of path.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
          parent[path.at(-1) as string] = value;
          const message = messageFor(() => changed);
          if (message !== "accepted") refused++;
          expect(message).not.toMatch(/is "([^"]*)"\. Did you mean "\1"/);
          expect(message).not.toMatch(
            /Invalid |Too (big|small)|Unrecognized|received|undefined|\[object/,
          );
        }
      }
    }
    expect(refused).toBeGreaterThan(300);
  });
});

function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  const inner = Object.entries(value).flatMap(([key, field]) => pathsOf(field, [...path, key]));
  return path.length === 0 ? inner : [[...path], ...inner];
}

test("a default that does not go with another field, and a number that is infinite", () => {
  const task = { type: "addition", maxDigits: 99 };
  expect(messageFor((c) => ({ ...c, data: { type: "task", task } }))).toMatch(
    /data\.task\.longerBy is left out: maxDigits \+ longerBy must not exceed \d+\./,
  );
  expect(messageFor((c) => ({ ...c, trainer: { ...c.trainer, steps: Infinity } }))).toContain(
    "trainer.steps is Infinity, expected finite number.",
  );
});
