import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  describeModule,
  loadOwnComponents,
  parseRunConfig,
} from "../../../../../src/node/index.js";
import { metricsOf, runToEnd, tinyConfig } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const folder = mkdtempSync(join(tmpdir(), "extending-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The example of a page, written to a file; it must be short. */
function example(page: string): string {
  const text = readFileSync(`docs/extending/${page}.md`, "utf8");
  const [, code = ""] = text.split("```ts\n");
  const lines = (code.split("```")[0] ?? "").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(40);
  const path = join(folder, `${page}.ts`);
  writeFileSync(path, lines.join("\n"));
  return path;
}

async function metricsOfRun(changes: object): Promise<string> {
  const given = tinyConfig(temporaryFolder(), {
    ...{ evaluation: { every: 0, rows: 4 }, checkpoint: { every: 0 } },
    ...changes,
  });
  const config = await parseRunConfig(given, "run.json");
  await runToEnd(config);
  return JSON.stringify(metricsOf(config));
}

const few = { type: "sft", steps: 2, batchSize: 4 };

test("the example of docs/extending/task.md trains, and is measured", async () => {
  const path = example("task");
  const metrics = await metricsOfRun({
    tasks: [path],
    data: { type: "task", task: { type: "backwards", letters: 3 } },
    trainer: few,
  });
  expect(metrics).toContain('"heldOut.accuracy":');
  expect(metrics).toContain('"longer.accuracy":');
  expect(await describeModule(path)).toMatchObject([{ kind: "task", name: "backwards" }]);
});

test("the example of docs/extending/verifier.md judges the rows of a run", async () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({
    prompt: `How far is it to ${i}?`,
    completion: `It is ${i} km, or ${1000 * i} m.`,
    answer: `${i} km`,
  }));
  const data = join(temporaryFolder(), "distances.jsonl");
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join("\n"));
  const path = example("verifier");
  const metrics = await metricsOfRun({
    verifiers: [path],
    tokenizer: { type: "byte" },
    data: { type: "jsonl", path: data, verifier: { type: "quantity", unit: "km" } },
    trainer: few,
  });
  expect(metrics).toContain('"heldOut.accuracy":');
  expect(await describeModule(path)).toMatchObject([{ kind: "verifier", name: "quantity" }]);
});

describe("modules", () => {
  const zod = import.meta.resolve("zod");
  const write = (name: string, body: string): string => {
    const path = join(folder, `${name}.mjs`);
    writeFileSync(path, `import { z } from "${zod}";\n${body}`);
    return path;
  };
  const taskWith = (name: string, changes: string) =>
    write(
      name,
      `export const task = {
        name: "${name}", summary: "",
        config: z.strictObject({ errorRate: z.number().default(0), heldOutFraction: z.number().default(0.1) }),
        alphabet: () => "ab", generate: (_c, split) => split, splitOf: (p) => p,
        prompt: () => "a", answer: () => "b",
        oracle: (_p, { errorRate }) => errorRate === 1 ? "a" : "b",
        verify: (_p, text) => ({ correct: text === "b", answer: text, traceCorrect: text === "b" }),
        ${changes}
      };`,
    );

  test.each([
    ["plain", "", undefined],
    ["foreign", 'prompt: () => "?",', /task foreign.*the character "\?" is not in its alphabet/s],
    [
      "strayed",
      'splitOf: () => "train",',
      /splitOf says "train" of a problem of the split "heldOut"/,
    ],
    ["severe", "verify: () => ({ correct: false }),", /it calls its own solution wrong/],
    ["mild", "verify: () => ({ correct: true }),", /right that its oracle wrote with errorRate 1/],
    ["bare", "config: z.strictObject({}),", /config: has no option "errorRate".*commonTaskFields/s],
    ["typed", "config: z.strictObject({ type: z.string() }),", /"type" cannot be an option/],
    ["half", "oracle: undefined,", /oracle is left out: is not a function/],
  ])("a task that is %s", async (name, changes, message) => {
    const path = taskWith(name, changes);
    const run = metricsOfRun({
      tasks: [path],
      data: { type: "task", task: { type: name } },
      trainer: few,
    });
    if (message === undefined) expect(await run).toContain("heldOut.accuracy");
    else await expect(run).rejects.toThrow(message);
  });

  test("a task is no verifier, though it verifies", async () => {
    const path = taskWith("only-a-task", "");
    await expect(loadOwnComponents({ verifiers: [path] }, "run.json")).rejects.toThrow(
      /run\.json: verifiers\.0: .*exports no verifier definition.*defineVerifier.*exports: task/s,
    );
    expect((await loadOwnComponents({ tasks: [path] })).tasks).toHaveLength(1);
  });

  test("a verifier with the name of another, and what a module exports", async () => {
    const taken = write(
      "taken",
      'export const v = { name: "exact", summary: "", config: z.strictObject({}), verify: () => ({}) };',
    );
    await expect(loadOwnComponents({ verifiers: [taken] })).rejects.toThrow(
      /"exact" is the name of a built-in verifier already/,
    );
    const teacher = write(
      "taught",
      'export const t = { name: "oracle", summary: "", config: z.strictObject({}), connect: () => ({}) };',
    );
    expect(await describeModule(teacher)).toMatchObject([{ kind: "teacher", name: "oracle" }]);
    await expect(describeModule(write("nothing", "export const x = 1;"))).rejects.toThrow(
      /exports no component.*It exports: x/s,
    );
  });
});
