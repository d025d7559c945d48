import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { adopted } from "../../../playground/src/training/adopt.js";
import { exampleLoss } from "../../../playground/src/training/example-loss.js";
import { presets } from "../../../playground/src/training/presets.js";
import {
  type JsonObject,
  type Settings,
  withValue,
} from "../../../playground/src/training/settings.js";
import { loadModelFolder } from "../../../src/node/index.js";
import { ownDistribution, sampleRollouts } from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import { testSession } from "../../setup/pages/playground.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";

const changed = (settings: Settings, fields: Record<string, unknown>): Settings => ({
  ...settings,
  config: Object.entries(fields).reduce(
    (config, [path, value]) => withValue(config, path, value as never) as JsonObject,
    settings.config,
  ),
});
const small = { "trainer.steps": 4, "trainer.batchSize": 2, "evaluation.rows": 3 };
const twoModes = changed(presets["two-modes"].settings, small);

describe("a session of the playground", () => {
  test("trains two students from the same weights, and shows how they stand", {
    timeout: 600_000,
  }, async () => {
    const { session, ask, of, rows } = testSession();
    await using _session = session;
    await ask({ type: "configure", settings: twoModes });
    const [first] = of("frame");
    expect(first?.frame.step).toBe(0);
    // The same weights say the same of the same rows, and write the same.
    const [a, b] = first?.frame.students ?? [];
    expect(
      b?.texts.map(({ tokens }) => tokens.map(({ text, forwardKl }) => [text, forwardKl])),
    ).toEqual(a?.texts.map(({ tokens }) => tokens.map(({ text, forwardKl }) => [text, forwardKl])));
    const { ring } = a ?? {};
    expect(ring?.teacher.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    expect(ring?.student.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    const { first: one = 0, second = 0, outside = 0 } = ring?.masses ?? {};
    expect(one + second + outside).toBeCloseTo(1, 5);
    expect(ring?.teacherMasses.first).toBeGreaterThan(0.5);

    await ask({ type: "step" }, { type: "step" });
    expect(rows().map(({ step }) => step)).toEqual([1, 2]);
    const [forward, reverse] = rows()[0]?.students ?? [];
    // Off policy: the same rows, of which each has its own loss.
    expect(forward?.forwardKl).toBe(reverse?.forwardKl);
    expect(forward?.loss).toBeCloseTo(forward?.forwardKl as number, 5);
    expect(reverse?.loss).toBeCloseTo(reverse?.reverseKl as number, 5);

    await ask({ type: "run" });
    while (of("state").at(-1)?.state !== "finished") await new Promise((r) => setTimeout(r, 5));
    expect(rows().map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(of("frame").at(-1)?.frame.step).toBe(4);
  });

  test("has of each token both distributions and what the loss does about them", {
    timeout: 600_000,
  }, async () => {
    const { session, ask, of } = testSession();
    await using _session = session;
    const settings = changed(presets.addition.settings, small);
    await ask({ type: "configure", settings });
    const { texts = [] } = of("frame")[0]?.frame.students[0] ?? {};
    expect(texts.map(({ by }) => by)).toEqual([
      "student",
      "student",
      "student",
      "data",
      "data",
      "data",
    ]);
    expect(
      texts.filter(({ by }) => by === "student").every(({ correct }) => correct === false),
    ).toBe(true);
    for (const { tokens } of texts) {
      expect(tokens.length).toBeGreaterThan(0);
      for (const { likely, forwardKl, reverseKl } of tokens) {
        expect(Math.min(forwardKl, reverseKl)).toBeGreaterThanOrEqual(-1e-6);
        for (const { teacher, student, push } of likely) {
          // The forward KL's: T − S.
          expect(push).toBeCloseTo(teacher - student, 4);
        }
      }
    }
  });

  test("a student that left comes back the same, here and in pupil", {
    timeout: 600_000,
  }, async () => {
    const { session, ask, of } = testSession();
    await using _session = session;
    const settings = changed(presets.text.settings, {
      ...small,
      "student.architecture.hiddenSize": 16,
    });
    const prompt = "You are ";
    const write = { type: "write", student: 0, prompt, greedy: true } as const;
    await ask({ type: "configure", settings }, { type: "step" }, write, {
      type: "export",
      student: 0,
    });
    const text = of("written").at(-1)?.text;
    const { bytes, name } = of("exported").at(-1) ?? {};
    expect(name).toBe("student.zip");

    const parent = temporaryFolder();
    const folder = join(parent, "student");
    mkdirSync(folder);
    for (const [file, content] of Object.entries(unzipSync(bytes as Uint8Array))) {
      writeFileSync(join(parent, file), content);
    }
    const { model, tokenizer } = await loadModelFolder(folder);
    const [rollout] = await sampleRollouts({
      ...{ model, prompts: [tokenizer.encode(prompt)], endIds: tokenizer.endIds },
      ...{ padId: tokenizer.padId, maxNewTokens: 41, random: new Random(1) },
      policy: { ...ownDistribution, greedy: true },
    });
    expect(tokenizer.decode(rollout?.completionIds ?? [])).toBe(text);
    model.dispose();

    const content = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    const files = [{ path: "student.zip", content }];
    const loaded = { type: "load", as: "student", name: "student.zip", files } as const;
    const again = { ...settings, config: { ...settings.config, student: { from: "student" } } };
    await ask(loaded, { type: "configure", settings: again }, write);
    expect(of("written").at(-1)?.text).toBe(text);
    expect(of("loaded").at(-1)?.parameters).toBe(of("built")[0]?.run.students[0]?.parameters);
  });

  test("refuses a zip that holds no student", async () => {
    const { session, of } = testSession();
    await using _session = session;
    const files = [{ path: "x.zip", content: new Blob(["abc"]) }];
    await session.handle({ type: "load", as: "student", name: "x.zip", files });
    expect(of("refused")[0]?.message).toMatch(/^x.zip: It is no zip/);
    expect(of("loaded")).toEqual([]);
  });

  test("trains with a loss of one's own", { timeout: 600_000 }, async () => {
    const { session, ask, rows } = testSession();
    await using _session = session;
    const settings = {
      ...changed(twoModes, { losses: ["own-loss.mjs"], "trainer.loss": [{ type: "sure-kl" }] }),
      ownLoss: exampleLoss,
    };
    await ask({ type: "configure", settings }, { type: "step" });
    const [own] = rows()[0]?.students ?? [];
    expect(own?.loss).toBeGreaterThan(own?.forwardKl ?? Infinity);
    expect(own?.loss).toBeLessThan(2 * (own?.forwardKl ?? 0));
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["another trainer", { "trainer.type": "reinforce" }, /trainer/],
    [
      "a teacher elsewhere",
      { teacher: { from: "my/model" } },
      /^teacher.from = "my\/model": is not here.*Drop its/,
    ],
    [
      "a server",
      { teacher: { type: "http", server: "vllm", url: "http://x", tokenizer: "t" } },
      /teacher/,
    ],
    [
      "a student elsewhere",
      { student: { from: "my/student" } },
      /^student.from = "my\/student": is not here/,
    ],
    ["a loss that gets nothing", { "trainer.loss": [{ type: "dpo" }] }, /The loss dpo needs/],
    ["a field that is none", { "trainer.stepz": 3 }, /stepz/],
    ["one mode twice", { "teacher.offsets": [3, 27] }, /both modes are the same/],
  ])("refuses %s in words", async (_name, fields, message) => {
    const { session, of } = testSession();
    await using _session = session;
    const { second: _second, ...settings } = changed(twoModes, fields);
    await session.handle({ type: "configure", settings });
    await session.handle({ type: "step" });
    const said = of("refused").map((report) => report.message);
    expect(said.join("\n")).toMatch(message);
  });
});

describe("a config that is pasted", () => {
  test("takes the place of the page's; a run's versions and paths are not the page's", () => {
    const { settings, notes } = adopted(
      JSON.stringify({
        ...{ name: "mine", versions: { pupil: "0" } },
        data: { type: "text", path: "/somewhere/shakespeare.txt" },
        student: { architecture: { family: "gpt2", hiddenSize: 8, numLayers: 1, numHeads: 1 } },
        trainer: { type: "sft", steps: 5 },
      }),
      { config: {}, text: { own: "abc" } },
    );
    expect(settings.config).toEqual({
      name: "mine",
      data: { type: "text", path: "text.txt" },
      student: { architecture: { family: "gpt2", hiddenSize: 8, numLayers: 1, numHeads: 1 } },
      teacher: { type: "self", emaDecay: 1 },
      trainer: {
        type: "distill",
        steps: 5,
        onPolicyFraction: 0,
        loss: [{ type: "cross-entropy" }],
      },
    });
    expect(settings.text).toEqual({ own: "abc" });
    expect(notes).toHaveLength(3);
  });

  test.each(["[", "3", "null"])("is refused where it is none: %s", (text) => {
    expect(() => adopted(text, { config: {} })).toThrow(/config: /);
  });
});
