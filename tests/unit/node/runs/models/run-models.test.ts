/** Which models and which tokenizer a run takes, and what it says where they do not fit. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  noOwnComponents,
  type PreparedData,
  type RunConfig,
} from "../../../../../src/config/index.js";
import { byteTokenizer, characterTokenizer } from "../../../../../src/data/index.js";
import { adapterName } from "../../../../../src/folders/index.js";
import {
  addAdapter,
  initializeDecoder,
  modelConfigSchema,
  setActiveAdapter,
} from "../../../../../src/models/index.js";
import { saveAdapter } from "../../../../../src/node/models/adapter-folder.js";
import { dataOnDisk } from "../../../../../src/node/files/data-on-disk.js";
import { loadModelFolder } from "../../../../../src/node/index.js";
import { owning } from "../../../../../src/node/runs/models/assemble-models.js";
import {
  addStudentAdapter,
  checkContext,
  chooseTokenizer,
  describeStudent,
  loadRunTeacher,
  loadStudent,
} from "../../../../../src/node/runs/models/run-models.js";
import { loadReference } from "../../../../../src/node/runs/models/run-reference.js";
import { Random } from "../../../../../src/tensors/index.js";
import { tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { additionAlphabet, saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

const parts = { files: dataOnDisk(), components: noOwnComponents };

function rowsFile(text: string): string {
  const path = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(path, JSON.stringify({ prompt: text, completion: "" }));
  return path;
}

describe("the tokenizer of a run", () => {
  const characters = (text: string) => characterTokenizer({ alphabet: text });
  const ofData = (changes: object = {}) =>
    tinyRun("runs", { data: { type: "jsonl", path: rowsFile("ab") }, ...changes });
  const choose = (config: RunConfig, teacher?: object, student?: object) =>
    chooseTokenizer(config, parts, teacher as never, student as never);
  /** Of the characters that the data has. */
  const vocabSize = async (changes: object) => (await choose(ofData(changes))).vocabSize;

  test("is that of the config, or the characters of all its data", async () => {
    const usual = (await choose(ofData())).vocabSize;
    expect(await vocabSize({ tokenizer: { type: "character" } })).toBe(usual);
    expect(await vocabSize({ tokenizer: { type: "character", characters: "bxyz" } })).toBe(
      usual + 3,
    );
    const others = { type: "jsonl", path: rowsFile("abcd") };
    expect(await vocabSize({ evaluation: { data: others } })).toBe(usual + 2);
    expect(await vocabSize({ evaluation: { data: { one: others } } })).toBe(usual + 2);
    expect(await vocabSize({ tokenizer: { type: "byte" } })).toBe(byteTokenizer().vocabSize);
    const path = join(temporaryFolder(), "tokenizer.json");
    writeFileSync(path, JSON.stringify(characters("abcdefgh").toJson()));
    expect(await vocabSize({ tokenizer: { type: "file", path } })).toBe(
      characters("abcdefgh").vocabSize,
    );
  });

  test("is else the teacher's, else the student's", async () => {
    const [own, same] = [{ tokenizer: characters("abc") }, { tokenizer: characters("abc") }];
    expect(await choose(ofData(), own, undefined)).toBe(own.tokenizer);
    expect(await choose(ofData(), undefined, own)).toBe(own.tokenizer);
    expect(await choose(ofData(), own, same)).toBe(own.tokenizer);
    // One that has the run's, whatever that is.
    expect(await choose(ofData(), {}, same)).toBe(same.tokenizer);
  });

  const other = (role: string, remedy: string) =>
    `${role}: The ${role} has another tokenizer (${characters("xyz").vocabSize} ids) than this run (${characters("abc").vocabSize} ids). ${remedy}`;
  const [one, two] = [{ tokenizer: characters("abc") }, { tokenizer: characters("xyz") }];
  const from = { student: { from: "s" } };
  const taught = { teacher: { from: "t" } };
  const align = "et `alignment` to {} to align the two by the bytes of the text";
  const take = "ake a student with the teacher's tokenizer";

  test.each([
    [{ ...taught, ...from }, one, two, "student", `T${take}, or s${align}.`],
    [taught, one, two, "student", `S${align}.`],
    [{ ...from, ...taught, alignment: {} }, one, two, "student", `T${take}.`],
  ])("no model may have another: %j", async (changes, teacher, student, role, remedy) => {
    await expect(choose(ofData(changes), teacher, student)).rejects.toThrow(other(role, remedy));
  });

  test("nor than the config's, which may be left out", async () => {
    const path = join(temporaryFolder(), "tokenizer.json");
    writeFileSync(path, JSON.stringify(one.tokenizer.toJson()));
    const named = { tokenizer: { type: "file", path } };
    await expect(choose(ofData({ ...named, ...from }), undefined, two)).rejects.toThrow(
      other("student", "Leave out `tokenizer`."),
    );
    await expect(choose(ofData({ ...named, ...from, ...taught }), two, two)).rejects.toThrow(
      other("teacher", `Leave out \`tokenizer\`, or t${take}, or s${align}.`),
    );
  });
});

describe("the context of the models", () => {
  const data = { positions: 12 } as PreparedData;
  const check = (limits: object, changes: object = {}) =>
    checkContext(data, limits as never, tinyRun("runs", changes));

  test("has room for every row", () => {
    expect(() => check({ student: 12, teacher: undefined })).not.toThrow();
    expect(() => check({ student: 13, teacher: 12 })).not.toThrow();
  });

  test.each([
    [{ student: 11, teacher: undefined }, "student has 11"],
    [{ student: 12, teacher: 5 }, "teacher has 5"],
  ])("or the one that has not is named: %j", (limits, which) => {
    const remedy =
      "Shorten the rows (maxLength, sequenceLength, fewer digits or hops), or use a model with a longer context.";
    const problem = `The rows need a context of 12 tokens, the ${which}.`;
    expect(() => check(limits)).toThrow(`data.task: ${problem} ${remedy}`);
    expect(() => check(limits, { data: { type: "jsonl", path: "x" } })).toThrow(
      `data: ${problem} ${remedy}`,
    );
  });
});

describe("a student", () => {
  test("is the checkpoint's, the folder's, or none yet", async () => {
    const folder = temporaryFolder();
    const [one, two] = [
      await saveTinyTeacher(folder, { name: "one" }),
      await saveTinyTeacher(folder, { name: "two", seed: 4 }),
    ];
    const weightOf = async (config: RunConfig, checkpoint?: string) => {
      const loaded = await loadStudent(config, checkpoint);
      if (loaded === undefined) return undefined;
      using model = loaded.model;
      return [...model.parameters.values()][0]?.dataSync()[0];
    };
    const named = tinyRun(folder, { student: { from: one } });
    const ofOne = await weightOf(named);
    expect(ofOne).toEqual(expect.any(Number));
    expect(await weightOf(named, two)).not.toBe(ofOne);
    expect(await weightOf(tinyRun(folder))).toBeUndefined();
    expect(await weightOf(tinyRun(folder), one)).toBe(ofOne);
  });

  test("gets its adapter where it begins, and is described with it", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const lora = { rank: 2, targets: ["q_proj"] };
    const config = tinyRun(folder, { student: { from, lora } });
    const { model, tokenizer } = await loadModelFolder(from);
    using _model = model;
    const count = model.numParameters.toLocaleString("en-US");
    expect(describeStudent(model)).toBe(`Student: ${count} parameters.`);
    const random = new Random(1);
    await addStudentAdapter(model, tinyRun(folder, { student: { from } }), undefined, random);
    await addStudentAdapter(model, tinyRun(folder), undefined, random);
    // One that is resumed has it already.
    await addStudentAdapter(model, config, "checkpoint", random);
    expect(model.adapters.active).toBeUndefined();
    await addStudentAdapter(model, config, undefined, random);
    expect(model.adapters.active).toMatchObject({ settings: { rank: 2, baseModel: from } });
    // 8 × 2 and 2 × 8 of the one layer's queries.
    expect(describeStudent(model)).toBe(
      `Student: ${count} parameters, frozen, and 32 of an adapter of rank 2.`,
    );
    const path = join(folder, "adapter");
    await saveAdapter(path, model, adapterName, tokenizer);
    const again = await loadModelFolder(path);
    using adapted = again.model;
    const onTop = tinyRun(folder, { student: { from: path, lora } });
    await expect(addStudentAdapter(adapted, onTop, undefined, random)).rejects.toThrow(
      `student.lora: ${path} is an adapter already, and this would be one on top of it. Leave it out to train that adapter on, or merge first: pupil merge ${path} output=<folder>.`,
    );
  });
});

describe("a teacher", () => {
  test("is needed by a distillation, and by nothing else", async () => {
    const loss = [{ type: "reverse-kl" }];
    const distills = tinyRun("runs", { trainer: { type: "distill", steps: 1, loss } });
    await expect(loadRunTeacher(distills, [])).rejects.toThrow(
      'teacher: Distillation needs a teacher. Add "teacher": { "from": "<model folder>" }.',
    );
    expect(await loadRunTeacher(tinyRun("runs"), [])).toBeUndefined();
  });
});

describe("a reference", () => {
  const config = modelConfigSchema.parse({
    ...{ family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2, maxPositions: 32 },
    vocabSize: characterTokenizer({ alphabet: additionAlphabet }).vocabSize,
  });
  const tokenizer = characterTokenizer({ alphabet: additionAlphabet });
  const reinforces = (reference?: string, student: object = { from: "none" }) =>
    tinyRun("runs", {
      ...{ student },
      trainer: { type: "reinforce", steps: 1, ...(reference && { reference }) },
    });
  const weights = (model: { parameters: ReadonlyMap<string, { dataSync(): unknown }> }) =>
    [...model.parameters.values()].map((parameter) => parameter.dataSync());

  test("is none unless it is asked for", async () => {
    using student = initializeDecoder(config, new Random(1));
    const random = new Random(5);
    expect(await loadReference(reinforces(), { student, tokenizer, random })).toBeUndefined();
    expect(await loadReference(tinyRun("runs"), { student, tokenizer, random })).toBeUndefined();
  });

  test("is the fresh student of the seed, made again", async () => {
    const random = new Random(5);
    using student = initializeDecoder(config, new Random(1));
    using expected = initializeDecoder(config, new Random(5).stream("weights"));
    const { architecture } = tinyRun("runs").student;
    const run = reinforces("initial", { architecture });
    const reference = await loadReference(run, { student, tokenizer, random });
    expect(reference?.name).toBe("the initial student");
    expect(weights(reference?.model as never)).toEqual(weights(expected));
    reference?.dispose?.();
  });

  test("of an adapter is the model below it, which it does not own", async () => {
    using student = initializeDecoder(config, new Random(1));
    addAdapter(student, "a", { rank: 1, random: new Random(2) } as never);
    setActiveAdapter(student, "a");
    const run = reinforces("initial", { from: "none", lora: { rank: 1 } });
    const reference = await loadReference(run, { student, tokenizer, random: new Random(5) });
    expect(reference?.name).toBe("the initial student");
    reference?.dispose?.();
    reference?.[Symbol.dispose]?.();
    expect(weights(student)).toHaveLength(student.parameters.size);
  });

  test("of a folder is the model there, with the student's tokenizer and vocabulary", async () => {
    const folder = temporaryFolder();
    const [same, other] = [
      await saveTinyTeacher(folder, { name: "same" }),
      await saveTinyTeacher(folder, { name: "other", alphabet: "abc" }),
    ];
    using student = initializeDecoder(config, new Random(1));
    const given = { student, tokenizer, random: new Random(5) };
    for (const run of [reinforces(same), reinforces("initial", { from: same })]) {
      const reference = await loadReference(run, given);
      expect(reference?.name).toBe(same);
      reference?.dispose?.();
    }
    const refused =
      "The reference has another tokenizer or vocabulary than the student. Use a model";
    await expect(loadReference(reinforces(other), given)).rejects.toThrow(
      `trainer.reference: ${refused}`,
    );
    using wider = initializeDecoder({ ...config, vocabSize: config.vocabSize + 1 }, new Random(1));
    await expect(loadReference(reinforces(same), { ...given, student: wider })).rejects.toThrow(
      refused,
    );
  });
});

describe("the owner of parts", () => {
  test("releases them in the order in which they came, backwards, once it is done", async () => {
    const released: number[] = [];
    const part = (number: number) => ({ number, dispose: () => void released.push(number) });
    {
      using made = await owning(async (own) => ({ one: own(part(1)), two: own(part(2)) }));
      expect([made.one.number, made.two.number, ...released]).toEqual([1, 2]);
    }
    expect(released).toEqual([2, 1]);
  });

  test("releases what there is at once where a later part fails", async () => {
    const released: number[] = [];
    const failing = owning(async (own) => {
      own({ dispose: () => void released.push(1) });
      throw new Error("no second part");
    });
    await expect(failing).rejects.toThrow("no second part");
    expect(released).toEqual([1]);
  });
});
