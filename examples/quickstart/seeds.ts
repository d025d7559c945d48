/**
 * The quickstart's comparison over several seeds, as mean ± standard error:
 *
 *     npx tsx examples/quickstart/seeds.ts 5
 */
import { modelTeacher, startBackend } from "pupil";
import { loadModelFolder, nodePlatform } from "pupil/node";
import {
  copyOf,
  type Measurement,
  measure,
  newStudent,
  openClassroom,
  sftLesson,
  teach,
  ways,
} from "./classroom.js";
import { settings } from "./settings.js";
import { teacherFolder } from "./teacher-folder.js";

const quantities = ["accuracy", "greedyAccuracy", "forwardKl", "reverseKl"] as const;

function meanAndError(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / Math.max(1, values.length - 1) / values.length);
  return `${mean.toFixed(3)} ± ${error.toFixed(3)}`;
}

const seeds = Number(process.argv[2] ?? 5);
await startBackend("auto", { platform: nodePlatform });
const { model, tokenizer } = await loadModelFolder(teacherFolder);
using teacher = modelTeacher(model, "teacher");
const results = new Map<string, Measurement[]>();
const record = (title: string, measurement: Measurement) => {
  results.set(title, [...(results.get(title) ?? []), measurement]);
};

for (let seed = 1; seed <= seeds; seed++) {
  const classroom = await openClassroom(teacher, tokenizer, seed);
  using student = newStudent(classroom);
  await teach(student, classroom, sftLesson, 0);
  record("student after SFT", await measure(student, classroom));
  for (const { title, lesson } of Object.values(ways)) {
    using copy = await copyOf(student);
    await teach(copy, classroom, { ...settings.more, ...lesson }, settings.sft.steps);
    record(title, await measure(copy, classroom));
  }
  console.error(`seed ${seed} of ${seeds} done`);
}

console.log(`| ${seeds} seeds | accuracy | greedy | forward KL | reverse KL |`);
console.log("| --- | --- | --- | --- | --- |");
for (const [title, measurements] of results) {
  const cells = quantities.map((name) => meanAndError(measurements.map((m) => m[name])));
  console.log(`| ${title} | ${cells.join(" | ")} |`);
}
