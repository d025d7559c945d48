import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { messageOf } from "../../../../setup/data/data-rows.js";
import { metricsOf, runToEnd, tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../../../setup/models/tiny-teacher.js";

/** A run on policy on rows that have prompts only. */
async function promptsRun(trainer: object, changes: object = {}, completion?: string) {
  const folder = temporaryFolder();
  const path = join(folder, "rows.jsonl");
  const rows = Array.from({ length: 20 }, (_, i) =>
    JSON.stringify({ prompt: `${i % 7}+${i % 5}=`, completion }),
  );
  writeFileSync(path, rows.join("\n"));
  return tinyRun(folder, {
    teacher: { from: await saveTinyTeacher(folder) },
    data: { type: "jsonl", path },
    trainer: {
      type: "distill",
      steps: 2,
      batchSize: 4,
      loss: [{ type: "reverse-kl" }],
      ...trainer,
    },
    evaluation: { every: 0, rows: 4, sampling: {} },
    ...changes,
  });
}

const notesOf = (events: Awaited<ReturnType<typeof runToEnd>>) =>
  events.flatMap((event) => (event.type === "started" ? event.notes : []));

describe("a run on prompts only", () => {
  test("is measured on completions as long as those it trains on", async () => {
    const run = await promptsRun({ maxNewTokens: 9 });
    await runToEnd(run);
    const last = metricsOf(run).at(-1) as Record<string, number>;
    expect(last["heldOut.meanLength"]).toBeGreaterThan(1);
    const short = await promptsRun(
      { maxNewTokens: 9 },
      { evaluation: { rows: 4, maxNewTokens: 1 } },
    );
    await runToEnd(short);
    expect(metricsOf(short).at(-1)).toMatchObject({ "heldOut.meanLength": 1 });
  });

  test("reports no loss of completions that are empty", async () => {
    const run = await promptsRun({ maxNewTokens: 4 });
    await runToEnd(run);
    const last = metricsOf(run).at(-1) as Record<string, number>;
    expect(last["heldOut.reverseKl"]).toBeGreaterThan(0);
    expect(last).not.toHaveProperty(["heldOut.loss"]);
    expect(last).not.toHaveProperty(["heldOut.perplexity"]);
    const given = await promptsRun({ maxNewTokens: 4 }, {}, "7");
    await runToEnd(given);
    expect(metricsOf(given).at(-1)).toHaveProperty(["heldOut.loss"]);
  });

  test("says how long its completions may be where nothing tells it", async () => {
    const events = await runToEnd(await promptsRun({}));
    expect(notesOf(events).join("\n")).toMatch(/prompts only: completions .* at most 64 tokens/);
  });

  test("ends completions where the teacher's context ends, and says so", async () => {
    const run = await promptsRun({ maxNewTokens: 60, steps: 1 });
    const events = await runToEnd(run);
    expect(notesOf(events).join("\n")).toMatch(
      /context of 32 tokens the longest prompt takes \d+, which leaves \d+ of the 60 new tokens/,
    );
  });

  test("is the same with completions that are empty", async () => {
    const losses = async (completion?: string) => {
      const run = await promptsRun({ maxNewTokens: 4 }, {}, completion);
      await runToEnd(run);
      return metricsOf(run).flatMap((row) => row["loss"] ?? []);
    };
    const own = await losses();
    expect(own).toHaveLength(2);
    expect(await losses("")).toEqual(own);
  });

  test("goes on with chats that end before the assistant's turn", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "rows.jsonl");
    const row = JSON.stringify({ prompt: [{ role: "user", content: "1+2=" }] });
    writeFileSync(path, `${row}\n`.repeat(8));
    const template =
      "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}={% endif %}";
    const run = await promptsRun(
      { maxNewTokens: 4 },
      { data: { type: "jsonl", path, chatTemplate: template } },
    );
    const events = await runToEnd(run);
    expect(notesOf(events).join("\n")).toMatch(/8 rows, 8 kept with 40 tokens \(0 learned\)/);
  });

  test("is refused where rows of the data would be learned", async () => {
    expect(await messageOf(runToEnd(await promptsRun({ onPolicyFraction: 0.5 })))).toMatch(
      /^data: The rows have prompts only, and with trainer\.onPolicyFraction 0\.5 .*Set trainer\.onPolicyFraction to 1/,
    );
    const sft = { type: "sft", loss: [{ type: "cross-entropy" }] };
    expect(await messageOf(runToEnd(await promptsRun(sft)))).toMatch(
      /prompts only, and sft learns completions\. Name the field with the completions/,
    );
  });
});
