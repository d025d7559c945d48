import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig, traceText } from "../../../../../src/node/index.js";
import { metricsOf, runToEnd, tinyConfig } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const page = readFileSync(
  new URL("../../../../../docs/extending/teacher.md", import.meta.url),
  "utf8",
);
const example = /```ts\n([^]*?)```/.exec(page)?.[1] as string;

function withModule(text: string, changes: object): [config: object, folder: string] {
  const folder = temporaryFolder();
  const path = join(folder, "counting.ts");
  writeFileSync(path, text);
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const trainer = {
    ...{ type: "distill", steps: 3, batchSize: 4, learningRate: 0.05 },
    loss: [{ type: "forward-kl" }],
  };
  const evaluation = { every: 0, rows: 2 };
  return [
    tinyConfig(join(folder, "runs"), { trainer, evaluation, teachers: [path], ...changes }),
    folder,
  ];
}

test("the page's example is short, and a student learns from it", async () => {
  expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(40);
  const [given] = withModule(example, { teacher: { type: "counting", sureness: 0.8 } });
  const config = await parseRunConfig(given, "run.json");
  expect(config.teacher).toEqual({ type: "counting", sureness: 0.8 });
  const [started] = await runToEnd(config);
  expect(JSON.stringify(started)).toContain("Teacher: counting, of your own.");
  const losses = metricsOf(config).flatMap(({ loss }) => (typeof loss === "number" ? [loss] : []));
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
});

test("a text is seen by it where its run may run code", async () => {
  const [given, folder] = withModule(example, { teacher: { type: "counting", sureness: 0.8 } });
  await runToEnd(await parseRunConfig(given, "run.json"));
  const run = join(folder, "runs", "tiny");
  await expect(traceText(run, "1+1=2")).rejects.toThrow(/trust=true/);
  const { tokens } = await traceText(run, "1+1=2", { trusted: true });
  expect(tokens).toHaveLength(4);
});

test("it can be one of several", async () => {
  const teachers = [{ type: "counting" }, { type: "hidden-markov", states: 2 }];
  const [given] = withModule(example, { teacher: { type: "mixture", teachers } });
  const config = await parseRunConfig(given, "run.json");
  await runToEnd(config);
  expect(metricsOf(config).length).toBeGreaterThan(3);
});

test.each([
  [
    "export const nothing = 1;",
    {},
    "exports no teacher definition. Export what defineTeacher returns",
  ],
  [example.replace('name: "counting"', 'name: "model"'), {}, "a built-in teacher"],
  [example.replace("sureness: z", "when: z"), {}, '"when" cannot be an option'],
  [example, { type: "counting", sureness: 2 }, "teacher.sureness"],
  [example, { type: "countng" }, "counting"],
])("explains what is wrong (%#)", async (text, teacher, message) => {
  const [given] = withModule(text, { teacher });
  await expect(parseRunConfig(given, "run.json")).rejects.toThrow(message);
});

test("what connect returns must be a teacher", async () => {
  const broken = example.replace(
    /exactTeacher\(counting[^]*\{ topK \}\)/,
    "({ provides: [] }) as never",
  );
  const [given] = withModule(broken, { teacher: { type: "counting" } });
  const config = await parseRunConfig(given, "run.json");
  await expect(runToEnd(config)).rejects.toThrow("What connect returned has no `score`");
});

test("rows that it does not know are refused before the run begins", async () => {
  const forgetful = example.replace(
    /exactTeacher\(counting[^]*\{ topK \}\)/,
    "({ ...$&, knows: (row) => row.ids.length < 3, remedyForUnknownRows: 'Teach it more.' })",
  );
  const [given, folder] = withModule(forgetful, { teacher: { type: "counting" } });
  const config = await parseRunConfig(given, "run.json");
  await expect(runToEnd(config)).rejects.toThrow(
    /^teacher: "counting" does not have .*\. It lacks 12 of the 12 rows that this run reads\. Teach it more\./,
  );
  expect(existsSync(join(folder, "runs/tiny/metrics.jsonl"))).toBe(false);
});
