/** A run that cannot fit is refused by the configs of its models alone: nothing of them is read or made. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../../../../src/backend/index.js";
import { buildRun, evaluateRun, nodePlatform } from "../../../../../src/node/index.js";
import { useCpu } from "../../../../setup/backends/backend.js";
import { runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

// The engine in WebAssembly holds 4 GiB.
beforeAll(async () => {
  await startBackend("wasm", { platform: nodePlatform });
});
afterAll(useCpu);

/** A folder with a model's config and no weights: with 24 layers some 1.2 GB, with 150 some 7.5 GB. */
async function outlineOf(numLayers: number): Promise<string> {
  const from = await saveTinyTeacher(temporaryFolder());
  const json = JSON.parse(readFileSync(join(from, "config.json"), "utf8")) as object;
  const sizes = { hidden_size: 1024, intermediate_size: 2752, num_hidden_layers: numLayers };
  const folder = join(temporaryFolder(), "model");
  mkdirSync(folder);
  const heads = { num_attention_heads: 8, num_key_value_heads: 8, head_dim: 128 };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...json, ...sizes, ...heads }));
  return folder;
}

const few = { steps: 1, batchSize: 1 };
const evaluation = { every: 0, rows: 1 };
const distill = { type: "distill", ...few, loss: [{ type: "reverse-kl" }] };
const reinforce = { type: "reinforce", ...few };

const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => "accepted",
    (e: Error) => e.message,
  );
const run = (changes: object) =>
  tinyRun(temporaryFolder(), { backend: "wasm", evaluation, ...changes });
const tooLarge =
  /^backend: The run needs at least [\d.]+ GiB of memory \((.*)\), and the wasm backend holds at most 4\.00 GiB\./;
/** What comes next, where it would fit. */
const nothingThere = /The folder holds no tokenizer/;

describe("a student in a folder", () => {
  test("fits to be measured and not to be trained, but for an adapter", async () => {
    const from = await outlineOf(24);
    const student = { from };
    expect(await messageOf(runToEnd(run({ student })))).toMatch(tooLarge);
    expect(await messageOf(evaluateRun(run({ student })))).toMatch(nothingThere);
    const lora = { ...student, lora: { rank: 1 } };
    expect(await messageOf(runToEnd(run({ student: lora })))).toMatch(nothingThere);
  });

  test("does not fit to be measured either where it is too large", async () => {
    const student = { from: await outlineOf(150) };
    expect(await messageOf(evaluateRun(run({ student })))).toMatch(tooLarge);
  });

  test("is that of the checkpoint where a run goes on, whatever it began with", async () => {
    const large = await outlineOf(150);
    const small = { from: await saveTinyTeacher(temporaryFolder()) };
    expect(await messageOf(buildRun(run({}), large))).toMatch(tooLarge);
    expect(await messageOf(buildRun(run({ student: small }), large))).toMatch(tooLarge);
  });
});

describe("models beside the student count too", () => {
  test("a teacher, and each of several", async () => {
    const [large, small] = [await outlineOf(150), await outlineOf(60)];
    const student = { from: await saveTinyTeacher(temporaryFolder()) };
    const taught = (teacher: object) =>
      messageOf(runToEnd(run({ student, teacher, trainer: distill })));
    expect(await taught({ from: large })).toMatch(tooLarge);
    expect((await taught({ from: large })).match(tooLarge)?.[1]).toMatch(/teacher 7\.\d+ GiB/);
    expect(await taught({ from: small })).toMatch(nothingThere);
    const teachers = [{ from: small }, { from: small }];
    expect(await taught({ type: "mixture", teachers })).toMatch(tooLarge);
    expect(await messageOf(evaluateRun(run({ student, teacher: { from: large } })))).toMatch(
      tooLarge,
    );
  });

  test("a reference, and whose scores are learned", async () => {
    const large = await outlineOf(150);
    const student = { from: await saveTinyTeacher(temporaryFolder()) };
    const trainer = { ...reinforce, reference: large };
    expect(await messageOf(runToEnd(run({ student, trainer })))).toMatch(tooLarge);
    const rank = { type: "rank", ...few, scores: { type: "model", from: large } };
    const loss = [{ type: "list-kl" }];
    expect(await messageOf(runToEnd(run({ student, trainer: { ...rank, loss } })))).toMatch(
      tooLarge,
    );
  });
});
