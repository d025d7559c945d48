/** The quickstart and the stories as their scripts run them, with few steps, rows and tokens: for a GPU in software. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import {
  copyOf,
  measure,
  newStudent,
  openClassroom,
  sftLesson,
  teach,
  ways,
} from "../../../examples/quickstart/classroom.js";
import { settings } from "../../../examples/quickstart/settings.js";
import { teacherFolder } from "../../../examples/quickstart/teacher-folder.js";
import { startBackend } from "../../../src/backend/index.js";
import { parseConfig, recordOptionsSchema, type RunConfig } from "../../../src/config/index.js";
import {
  exportModel,
  loadModelFolder,
  nodePlatform,
  parseRunConfig,
  recordTeacher,
} from "../../../src/node/index.js";
import { modelTeacher } from "../../../src/teachers/index.js";
import { completionsOf, expectNear } from "./run-kinds.js";
import { metricsOf, runToEnd } from "./runs.js";

const [few, fewTokens] = [2, 4];

/** What the quickstart prints, and the samples that it shows. */
async function shortQuickstart() {
  const { model, tokenizer } = await loadModelFolder(teacherFolder);
  using teacher = modelTeacher(model, "teacher");
  const whole = await openClassroom(teacher, tokenizer, settings.seed);
  const evaluation = whole.data.evaluation.map((set) => ({
    ...set,
    ...{ rows: set.rows.slice(0, few), prompts: set.prompts.slice(0, few) },
    ...(set.asked && { asked: { ...set.asked, problems: set.asked.problems.slice(0, few) } }),
  }));
  const classroom = { ...whole, data: { ...whole.data, evaluation, maxNewTokens: fewTokens } };
  using student = newStudent(classroom);
  const numbers: Record<string, number> = {};
  const completions: unknown[] = [];
  const learn = async (name: string, of: typeof student, lesson: typeof sftLesson, row: number) => {
    const short = { ...lesson, steps: few };
    await teach(of, classroom, short, row, ({ step, loss, gradNorm }) => {
      Object.assign(numbers, { [`${name}, ${step}`]: loss, [`${name}, norm ${step}`]: gradNorm });
    });
    const { completions: written, ...measured } = await measure(of, classroom);
    for (const [key, value] of Object.entries(measured)) numbers[`${name}, ${key}`] = value;
    completions.push(written.map(({ completionIds }) => completionIds));
  };
  await learn("sft", student, sftLesson, 0);
  for (const [name, { lesson }] of Object.entries(ways)) {
    using copy = await copyOf(student);
    await learn(name, copy, { ...settings.more, ...lesson }, few);
  }
  return { numbers, completions };
}

/** Holds the quickstart on the backend that `use` makes the current one to the same on the CPU engine. */
export async function expectQuickstart(use: () => Promise<void>): Promise<void> {
  await startBackend("wasm", { platform: nodePlatform });
  const onWasm = await shortQuickstart();
  await use();
  const found = await shortQuickstart();
  expect(Object.keys(found.numbers)).toHaveLength(4 * (2 * few + 4));
  expectNear(found.numbers, onWasm.numbers, "quickstart");
  expect(found.completions).toEqual(onWasm.completions);
}

export const storyNames = ["on-policy", "off-policy", "recorded", "onnx"] as const;
type StoryName = (typeof storyNames)[number];

/** The configs of the stories, with the teacher in `from` and what is made of it in `folder`. */
async function shortStories(from: string, folder: string) {
  const read = async (name: string): Promise<RunConfig> => {
    const path = `examples/stories/${name}.json`;
    return await parseRunConfig(JSON.parse(readFileSync(path, "utf8")), path);
  };
  const prompts = readFileSync("examples/stories/prompts.jsonl", "utf8").split("\n").slice(0, 8);
  const path = join(folder, "prompts.jsonl");
  writeFileSync(path, prompts.join("\n"));
  const record = await read("record");
  const data = { type: "jsonl", path, validationFraction: 0.1 };
  const recording = join(folder, "recording");
  const given = { output: recording, generate: true, maxNewTokens: 6 };
  const options = parseConfig(recordOptionsSchema, given, "options");
  const recorded = { ...record, data, teacher: { ...record.teacher, from } } as RunConfig;
  for await (const event of recordTeacher(recorded, options)) {
    expect(event.type).not.toBe("error");
  }
  const loaded = await loadModelFolder(from);
  const onnx = join(folder, "onnx");
  await exportModel(onnx, loaded, { format: "onnx", dtype: "float32" });
  loaded.model.dispose();
  const teachers = { "on-policy": from, "off-policy": from, recorded: recording, onnx };
  return async (name: StoryName, output: string): Promise<RunConfig> => {
    const config = await read(name);
    return {
      ...{ ...config, output, data: { ...config.data, path: join(recording, "rows.jsonl") } },
      teacher: { ...config.teacher, from: teachers[name] },
      trainer: { ...config.trainer, steps: few, batchSize: few, maxNewTokens: fewTokens },
      evaluation: { ...config.evaluation, every: few, rows: few, maxNewTokens: fewTokens },
    } as RunConfig;
  };
}

/** Holds the four students of the stories on a backend to the same on the CPU engine. */
export async function expectStories(
  from: string,
  folder: string,
  use: () => Promise<void>,
): Promise<void> {
  await startBackend("wasm", { platform: nodePlatform });
  const story = await shortStories(from, folder);
  const onWasm: RunConfig[] = [];
  for (const name of storyNames) {
    const config = await story(name, join(folder, "wasm"));
    await runToEnd(config);
    onWasm.push(config);
  }
  await use();
  for (const [i, name] of storyNames.entries()) {
    const config = await story(name, join(folder, "other"));
    await runToEnd(config);
    expectNear(metricsOf(config), metricsOf(onWasm[i] as RunConfig), name);
    expect(completionsOf(config), name).toBe(completionsOf(onWasm[i] as RunConfig));
  }
}
