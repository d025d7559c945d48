/**
 * The first five minutes: a teacher that ships with the project, a student an eighth of its size, a
 * short SFT, and then three ways to go on for the same number of optimizer steps from the same
 * weights and the same problems.
 *
 *     npm run quickstart [-- backend=webgpu]
 */
import Table from "cli-table3";
import { type BackendChoice, type Decoder, modelTeacher, startBackend } from "pupil";
import { loadModelFolder, nodePlatform, saveModelFolder, writeFileAtomic } from "pupil/node";
import {
  type Classroom,
  copyOf,
  type Lesson,
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

const studentFolder = "runs/quickstart/student";
const startMs = performance.now();
const say = (text: string) => console.log(text);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

interface Row extends Measurement {
  readonly title: string;
  readonly tokensPerSecond?: number;
}

async function learn(
  student: Decoder,
  classroom: Classroom,
  title: string,
  lesson: Lesson,
  firstRow: number,
): Promise<Row> {
  const tokensPerSecond = await teach(student, classroom, lesson, firstRow, (metrics) => {
    const { step, loss } = metrics;
    if (step % 300 === 0) say(`  ${title}: step ${step}/${lesson.steps}, loss ${loss.toFixed(3)}`);
  });
  const measurement = await measure(student, classroom);
  say(`  ${title}: ${percent(measurement.accuracy)} of held-out additions right`);
  return { title, tokensPerSecond, ...measurement };
}

function showTable(rows: readonly Row[]): void {
  const table = new Table({
    head: ["", "accuracy", "greedy", "forward KL", "reverse KL", "tokens/s"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right", "right", "right"],
  });
  for (const row of rows) {
    table.push([
      row.title,
      percent(row.accuracy),
      percent(row.greedyAccuracy),
      row.forwardKl.toFixed(3),
      row.reverseKl.toFixed(3),
      row.tokensPerSecond === undefined ? "" : Math.round(row.tokensPerSecond).toLocaleString("en"),
    ]);
  }
  say(table.toString());
  say("accuracy: of the model's own samples; KL: to the teacher, nats per token of these samples.");
}

function showCompletions(rows: readonly Row[], classroom: Classroom): void {
  say("\nThree of the on-policy student's samples:");
  const { completions } = rows.at(-1) as Row;
  for (const { promptIds, completionIds, correct } of completions.slice(0, 3)) {
    const text = classroom.tokenizer.decode([...promptIds, ...completionIds]);
    say(`  ${text}  ${correct ? "(right)" : "(wrong)"}`);
  }
}

const [backend = "auto"] = process.argv.slice(2).map((word) => word.replace(/^backend=/, ""));
say((await startBackend(backend as BackendChoice, { platform: nodePlatform })).line);
const { model, tokenizer } = await loadModelFolder(teacherFolder);
using teacher = modelTeacher(model, "teacher");
const classroom = await openClassroom(teacher, tokenizer, settings.seed);
using student = newStudent(classroom);
say(
  `Teacher: ${model.numParameters.toLocaleString("en")} parameters. ` +
    `Student: ${student.numParameters.toLocaleString("en")}. ` +
    "Task: additions of three digits; half of the examples work them out, half answer at once.",
);

const teacherRow: Row = { title: "teacher", ...(await measure(model, classroom)) };
const initial: Row = { title: "student, untrained", ...(await measure(student, classroom)) };
say(`A short SFT (${settings.sft.steps} steps):`);
const sft = await learn(student, classroom, "student after SFT", sftLesson, 0);

say(`Then ${settings.more.steps} more steps, in three ways:`);
const branches: Record<string, Row> = {};
for (const [name, { title, lesson }] of Object.entries(ways)) {
  using copy = await copyOf(student);
  const more = { ...settings.more, ...lesson };
  branches[name] = await learn(copy, classroom, title, more, settings.sft.steps);
  // Each replaces the one before: the last way is the one to talk to.
  await saveModelFolder(studentFolder, copy, tokenizer);
}

const rows = [teacherRow, initial, sft, ...Object.values(branches)];
showTable(rows);
showCompletions(rows, classroom);

const elapsedSeconds = (performance.now() - startMs) / 1000;
const report = ({ title: _title, completions: _completions, ...numbers }: Row) => numbers;
const summary = {
  teacher: report(teacherRow),
  student: {
    initial: report(initial),
    sft: report(sft),
    ...Object.fromEntries(Object.entries(branches).map(([name, row]) => [name, report(row)])),
  },
  tokensPerSecond: branches["onPolicy"]?.tokensPerSecond,
  elapsedSeconds,
};
await writeFileAtomic("runs/quickstart/summary.json", `${JSON.stringify(summary, null, 2)}\n`);
say(`\n${elapsedSeconds.toFixed(0)} s. Numbers: runs/quickstart/summary.json`);
say(`Talk to the on-policy student: npx pupil generate ${studentFolder} "322+581=" count=3`);
