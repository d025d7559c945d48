/**
 * A student of 62 thousand parameters learns to write stories from a real model of 260 thousand: on
 * policy, from a recording, and from an ONNX export of the teacher.
 *
 *     npx tsx examples/stories/main.ts [teacher=<folder of stories260K>] [seeds=1,2,3] [backend=webgpu]
 */
import { existsSync, readFileSync } from "node:fs";
import Table from "cli-table3";
import { type BackendChoice, type RunConfig, startBackend } from "pupil";
import { recordOptionsSchema } from "pupil/config";
import {
  evaluateRun,
  exportModel,
  exportOptionsSchema,
  loadModelFolder,
  nodePlatform,
  parseRunConfig,
  recordTeacher,
  type RunSummary,
  trainRun,
  writeFileAtomic,
} from "pupil/node";
import { prepareTeacher, teacherFolder } from "./teacher.js";

const say = (text: string) => console.log(text);
const given = new Map(process.argv.slice(2).map((word) => word.split("=", 2) as [string, string]));
const seeds = (given.get("seeds") ?? "1").split(",").map(Number);
const names = ["on-policy", "off-policy", "recorded", "onnx"] as const;
const metrics = ["loss", "forwardKl", "reverseKl"] as const;
type Measures = Record<(typeof metrics)[number], number>;

async function readConfig(name: string): Promise<RunConfig> {
  const path = `examples/stories/${name}.json`;
  return parseRunConfig(JSON.parse(readFileSync(path, "utf8")), path);
}

/** What the teacher has written and said, and its export; made once. */
async function prepare(): Promise<void> {
  prepareTeacher(given.get("teacher"));
  const output = "runs/stories/recording";
  const options = recordOptionsSchema.parse({ output, generate: true, maxNewTokens: 450 });
  for await (const event of recordTeacher(await readConfig("record"), options)) {
    if (event.type === "finished") say(`Recorded ${event.manifest.counts.tokens} tokens.`);
  }
  if (existsSync("runs/stories/onnx")) return;
  const loaded = await loadModelFolder(teacherFolder);
  await exportModel("runs/stories/onnx", loaded, exportOptionsSchema.parse({}));
  loaded.model.dispose();
}

function measuresOf(values: Readonly<Record<string, number>>): Measures {
  const entries = metrics.map((name) => [name, values[`heldOut.${name}`] as number]);
  return Object.fromEntries(entries) as Measures;
}

/** Trains one student, unless it is there, and measures it against the teacher itself. */
async function learn(name: string, seed: number) {
  const config = { ...(await readConfig(name)), name: `${name}-${seed}`, seed };
  const path = `${config.output}/${config.name}`;
  if (!existsSync(`${path}/summary.json`)) {
    for await (const event of trainRun({ config, path, resume: existsSync(path) })) {
      if (event.type === "warning") say(`  ${config.name}: ${event.warning.message}`);
    }
  }
  const summary = JSON.parse(readFileSync(`${path}/summary.json`, "utf8")) as RunSummary;
  const { teacher } = await readConfig("on-policy");
  const student = { from: path };
  const found = await evaluateRun({ ...config, teacher, student } as RunConfig);
  const after = measuresOf(found.metrics);
  say(
    `  ${config.name}: forward KL ${after.forwardKl.toFixed(3)}, reverse ${after.reverseKl.toFixed(3)}`,
  );
  return {
    before: summary.initial,
    after,
    seconds: summary.elapsedSeconds,
    stories: found.completions,
  };
}

/** Mean, with the standard error over the seeds where there are several. */
function meanOf(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return mean.toFixed(3);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return `${mean.toFixed(3)} ± ${Math.sqrt(squares / (values.length - 1) / values.length).toFixed(3)}`;
}

const backend = (given.get("backend") ?? "auto") as BackendChoice;
say((await startBackend(backend, { platform: nodePlatform })).line);
await prepare();
const results: Record<string, Awaited<ReturnType<typeof learn>>[]> = {};
for (const name of names) {
  results[name] = [];
  for (const seed of seeds) results[name].push(await learn(name, seed));
}
const table = new Table({
  head: ["student", "loss on the teacher's stories", "forward KL", "reverse KL", "seconds"],
  style: { head: [], border: [] },
  colAligns: ["left", "right", "right", "right", "right"],
});
const before = (results["on-policy"] ?? []).map((run) => measuresOf(run.before ?? {}));
table.push(["untrained", ...metrics.map((name) => meanOf(before.map((run) => run[name]))), ""]);
for (const [name, runs] of Object.entries(results)) {
  const values = metrics.map((metric) => meanOf(runs.map(({ after }) => after[metric])));
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0) / runs.length;
  table.push([name, ...values, seconds.toFixed(0)]);
}
say(table.toString());
say("KLs to the teacher in nats per token, over the student's own samples.");
for (const { prompt, completion } of results["on-policy"]?.[0]?.stories.slice(0, 3) ?? []) {
  say(`\n${prompt}${completion}`);
}
await writeFileAtomic("runs/stories/results.json", `${JSON.stringify(results, null, 1)}\n`);
