import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { characterTokenizer } from "../../../src/data/index.js";
import {
  fakeTeacherServer,
  type FakeTeacherOptions,
  type FakeTeacherServer,
} from "../../setup/servers/fake-teacher-server.js";
import { metricsOf, runToEnd, tinyRun, weightsOf } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

const tokenizer = characterTokenizer({ alphabet: "0123456789+=,:~" });
const variable = "PUPIL_TEST_TEACHER_KEY";
const key = "sk-very-secret-0815";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function started(options: Partial<FakeTeacherOptions> = {}): Promise<FakeTeacherServer> {
  return fakeTeacherServer({ tokenizer, ...options });
}

function distillRun(
  folder: string,
  fake: FakeTeacherServer,
  teacher: object = {},
  { name = "tiny", steps = 6 } = {},
) {
  const path = join(folder, "tokenizer.json");
  writeFileSync(path, JSON.stringify(tokenizer.toJson()));
  return tinyRun(folder, {
    name,
    teacher: {
      type: "http",
      server: "vllm",
      url: fake.url,
      model: "fake",
      tokenizer: path,
      topK: 5,
      retries: 2,
      retryDelaySeconds: 0.001,
      ...teacher,
    },
    trainer: { type: "distill", steps, batchSize: 4, loss: [{ type: "sparse-kl" }] },
    evaluation: { every: 0, rows: 2 },
  });
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error("Nothing was refused."),
    (reason: unknown) => reason as Error,
  );
  expect(error.name).toBe("PupilError");
  return error.message;
}

describe("a distillation run on policy", () => {
  test("learns from a server, and goes on after a failure as if there had been none", async () => {
    const folder = temporaryFolder();
    const fake = await started();
    const whole = distillRun(folder, fake);
    fake.makeMistakes("error", "cut");
    await runToEnd(whole);
    const losses = metricsOf(whole).flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
    expect(losses.length).toBe(6);
    expect(losses.every((loss) => Number.isFinite(loss))).toBe(true);

    const broken = distillRun(folder, fake, {}, { name: "broken" });
    const breaking = runToEnd(broken, {
      onStep: (step) => fake.alwaysMake(step === 4 ? "error" : undefined),
    });
    const message = await failure(breaking);
    expect(message).toMatch(/step 5: .*The teacher server failed after 3 attempts: 500/);
    // The last step before the failure, which no checkpoint was due at.
    expect(message).toMatch(/last good checkpoint is .*step-4/);
    fake.alwaysMake(undefined);
    await runToEnd(broken, { resume: true });
    expect(metricsOf(broken)).toEqual(metricsOf(whole));
    expect(weightsOf(broken, 6).equals(weightsOf(whole, 6))).toBe(true);
  });

  test.each([
    ["sglang", { type: "sparse-kl" }],
    ["llama.cpp", { type: "sampled-reverse-kl" }],
    ["openai", { type: "policy-gradient" }],
  ] as const)("works with %s and %o", async (server, loss) => {
    const folder = temporaryFolder();
    const fake = await started();
    const config = distillRun(folder, fake, { server });
    const trainer = { type: "distill", steps: 1, batchSize: 2, loss: [loss] };
    await runToEnd(tinyRun(folder, { teacher: config.teacher, trainer }));
  });
});

describe("the key", () => {
  test("comes from the environment and is nowhere in the run folder", async () => {
    vi.stubEnv(variable, key);
    const folder = temporaryFolder();
    const fake = await started({ apiKey: key });
    const config = distillRun(folder, fake, { apiKeyVariable: variable }, { steps: 1 });
    const events = await runToEnd(config);
    expect(JSON.stringify(events)).not.toContain(key);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), "latin1"));
    expect(texts.some((text) => text.includes(variable))).toBe(true);
    expect(texts.some((text) => text.includes(key))).toBe(false);
  });

  test("is not shown by a server that refuses it", async () => {
    vi.stubEnv(variable, key);
    const fake = await started({ apiKey: "another" });
    const config = distillRun(temporaryFolder(), fake, { apiKeyVariable: variable });
    const message = await failure(runToEnd(config));
    expect(message).toMatch(/401 Unauthorized.*\[key\]/);
    expect(message).not.toContain(key);
  });
});

describe("before a run is made", () => {
  const mistakes: [string, object, RegExp][] = [
    [
      "a key that is not set",
      { apiKeyVariable: "PUPIL_NOT_SET" },
      /variable PUPIL_NOT_SET is not set\. .*export/,
    ],
    [
      "a url that is none",
      { url: "localhost:8000" },
      /teacher\.url: is not the address of a server/,
    ],
    ["no model", { model: undefined }, /teacher\.model: is missing: vllm serves models by name/],
    ["another model", { model: "gpt" }, /400 Bad Request/],
    ["a path in the url", { url: "/api" }, /404 Not Found: .*No \/api\/v1\/completions here/],
    ["a topK above the server's", { topK: 17 }, /400 Bad Request: .*too_big/],
    [
      "a topK above the vocabulary",
      { topK: 18 },
      /teacher\.topK: is \d+, more than the vocabulary of 17/,
    ],
    ["no tokenizer there", { tokenizer: "nowhere" }, /nowhere/],
    ["too short a context", { maxPositions: 3 }, /the teacher has 3/],
  ];
  test.each(mistakes)("%s is an error", async (_, change, message) => {
    const folder = temporaryFolder();
    const fake = await started({ largestTopK: 16 });
    const { url } = change as { url?: string };
    const teacher = url?.startsWith("/") ? { url: `${fake.url}${url}` } : change;
    const config = distillRun(folder, fake, teacher);
    expect(await failure(runToEnd(config))).toMatch(message);
    expect(existsSync(join(folder, "tiny"))).toBe(false);
  });

  test("a key or a password in the config is refused and not repeated", async () => {
    const fake = await started();
    const changes = [
      { apiKeyVariable: key },
      { url: fake.url.replace("//", `//user:${key}@`) },
      { url: `${fake.url}/?key=${key}` },
    ];
    for (const change of changes) {
      const message = await failure(runToEnd(distillRun(temporaryFolder(), fake, change)));
      expect(message).toMatch(/teacher\.(apiKeyVariable|url): .*environment variable/);
      expect(message).not.toContain(key);
    }
  });

  test("a loss on whole distributions names the teachers that have them", async () => {
    const folder = temporaryFolder();
    const { teacher } = distillRun(folder, await started());
    const trainer = { type: "distill", steps: 1, loss: [{ type: "forward-kl" }] };
    const message = await failure(runToEnd(tinyRun(folder, { teacher, trainer })));
    expect(message).toMatch(/forward-kl needs teacherLogits.*Teachers that can: model/);
  });

  test("a field that does not exist is named, with those that do", () => {
    expect(() => tinyRun("x", { teacher: { type: "http", apiKey: key } })).toThrow(
      /teacher\.apiKey is not a field\. .*Allowed: .*apiKeyVariable/,
    );
  });
});
