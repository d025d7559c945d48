import { describe, expect, test } from "vitest";
import { presets } from "../../../playground/src/training/presets.js";
import { type Settings, teacherPath, valueAt } from "../../../playground/src/training/settings.js";
import { taughtBy } from "../../../playground/src/training/taught-by.js";
import type { ChosenFile } from "../../../src/browser/index.js";
import { modelFiles } from "../../../src/folders/index.js";
import { initializeDecoder, modelConfigSchema } from "../../../src/models/index.js";
import { loadTokenizer } from "../../../src/node/index.js";
import { Random } from "../../../src/tensors/index.js";
import { testSession } from "../../setup/pages/playground.js";
import { withFields } from "../../setup/pages/playground-states.js";

/** The files of a model that nobody trained, with the quickstart's tokenizer. */
async function givenTeacher(hiddenSize: number): Promise<ChosenFile[]> {
  const tokenizer = await loadTokenizer(teacherPath);
  const config = modelConfigSchema.parse({
    ...{ family: "llama", hiddenSize, numLayers: 1, numHeads: 1, maxPositions: 64 },
    vocabSize: tokenizer.vocabSize,
  });
  using model = initializeDecoder(config, new Random(1).stream("weights"));
  return [...(await modelFiles(model, tokenizer))].map(([name, content]) => ({
    path: `mine/${name}`,
    content: new Blob([
      (typeof content === "function" ? content() : content) as string | Uint8Array<ArrayBuffer>,
    ]),
  }));
}

const load = (files: readonly ChosenFile[]) =>
  ({ type: "load", as: "teacher", name: "mine", files }) as const;
const small = {
  ...{ "trainer.steps": 9, "trainer.batchSize": 2, "evaluation.rows": 3 },
  ...{ "student.architecture.hiddenSize": 8, "student.architecture.numLayers": 1 },
  "student.architecture.numHeads": 1,
};
const twoModes = withFields(presets["two-modes"].settings, small);

describe("a teacher that a visitor gives", () => {
  test("teaches, whose folder may be another one later", { timeout: 600_000 }, async () => {
    const { session, ask, of } = testSession();
    await using _session = session;
    await ask({ type: "configure", settings: twoModes }, load(await givenTeacher(4)));
    const [facts] = of("loaded");
    expect(facts).toMatchObject({ as: "teacher", name: "mine", readsText: false });
    expect(facts?.tasks).toEqual(["addition"]);
    const settings = withFields(taughtBy(twoModes, facts as NonNullable<typeof facts>), small);
    // What trained goes on until then.
    await ask({ type: "step" }, { type: "configure", settings }, { type: "step" });
    const parameters = () => of("built").at(-1)?.run.teacherParameters;
    expect(parameters()).toBe(facts?.parameters);

    await ask(load(await givenTeacher(6)), { type: "step" });
    await ask({ type: "configure", settings }, { type: "step" });
    expect(parameters()).toBe(of("loaded")[1]?.parameters);
    expect(parameters()).not.toBe(facts?.parameters);

    // What is no model leaves the one that is there.
    const files = (await givenTeacher(4)).filter(({ path }) => path.endsWith("config.json"));
    await session.handle(load(files));
    expect(of("refused").at(-1)?.message).toMatch(/mine: The folder holds no tokenizer/);
    await session.handle(load([{ path: "notes.txt", content: new Blob(["a"]) }]));
    expect(of("refused").at(-1)?.message).toMatch(
      /^mine: The folder holds no config.json.*notes.txt/,
    );
    await ask({ type: "configure", settings }, { type: "step" });
  });

  test("is missed in words where a link does not bring it", async () => {
    const { session, of } = testSession();
    await using _session = session;
    const settings = withFields(presets.addition.settings, { "teacher.from": "teacher" });
    await session.handle({ type: "configure", settings });
    expect(of("refused")[0]?.message).toMatch(/^teacher.from = "teacher": is not here. Drop the/);
  });
});

describe("the settings of a run that a given teacher teaches", () => {
  const taskOf = (settings: Settings) => valueAt(settings.config, "data.task.type");
  const { addition, text } = presets;
  const everything = { tasks: ["copy", "addition"], readsText: true };

  test("keep data that it knows, and lose the tokenizer of their own", () => {
    const own = { ...text.settings, text: { own: "abc" } };
    const taught = taughtBy(own, everything);
    expect(taught.config["data"]).toEqual(own.config["data"]);
    expect(taught.config["trainer"]).toEqual(own.config["trainer"]);
    expect(taught.config["teacher"]).toEqual({ type: "model", from: "teacher" });
    expect(taught.config["tokenizer"]).toBeUndefined();
    expect(taught.text).toEqual(own.text);
    expect(taskOf(taughtBy(addition.settings, everything))).toBe("addition");
  });

  test("take other data where it does not know theirs", () => {
    const reader = taughtBy(addition.settings, { tasks: ["copy"], readsText: true });
    expect([reader.config["data"], reader.text]).toEqual([
      text.settings.config["data"],
      { sample: "verse" },
    ]);
    const worker = taughtBy(text.settings, { tasks: ["copy"], readsText: false });
    expect([taskOf(worker), worker.text]).toEqual(["copy", undefined]);
  });

  test("are not those of students for two modes", () => {
    const taught = taughtBy(presets["two-modes"].settings, everything);
    expect(taught.second).toBeUndefined();
    expect(valueAt(taught.config, "student.architecture.hiddenSize")).toBe(64);
  });
});
