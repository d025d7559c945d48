import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline, type Tensor } from "@xenova/transformers";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { encodePrompt } from "../../../src/data/index.js";
import { exportModel, findModelFolder } from "../../../src/node/index.js";
import { sampleRollouts } from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";
import {
  exportedArchitectures,
  greedyText,
  hubModel,
  int64,
  loadDisposable,
  saveBoth,
} from "../../setup/models/onnx-models.js";
import { runCli } from "../cli/cli-process.js";
import { missing, sharedData } from "../../setup/data/shared-data.js";
import { runToEnd, tinyRun } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { largestDifference, logitsOf } from "../../unit/models/tiny-models.js";

async function pipelineText(folder: string, prompts: string[]): Promise<string[]> {
  const generate = await pipeline("text-generation", folder, { local_files_only: true });
  onTestFinished(async () => {
    await generate.dispose();
  });
  const options = { max_new_tokens: 8, do_sample: false };
  const outputs = (await generate(prompts, options)) as unknown as { generated_text: string }[][];
  return outputs.map(([output]) => output?.generated_text ?? "");
}

const prompts = ["1+2=", "12+3=1", "7"];

describe.each(Object.entries(exportedArchitectures))("an exported %s", (_, architecture) => {
  test("has our logits, for rows padded on the left and on the right", async () => {
    const paths = await saveBoth(temporaryFolder(), architecture);
    using ours = await loadDisposable(paths.model);
    const theirs = await hubModel(paths.onnx);
    const left = {
      ids: [
        [0, 0, 0, 4, 5, 6],
        [1, 2, 3, 4, 5, 6],
      ],
      mask: [
        [0, 0, 0, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
      ],
    };
    const right = {
      ids: [
        [4, 5, 6, 0, 0, 0],
        [1, 2, 3, 4, 5, 6],
      ],
      mask: [
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
      ],
    };
    for (const { ids, mask } of [left, right]) {
      const { logits } = (await theirs({
        input_ids: int64(ids),
        attention_mask: int64(mask),
      })) as { logits: Tensor };
      const real = (rows: number[][][]) => rows.map((row, b) => row.filter((_, t) => mask[b]?.[t]));
      const [found, expected] = [
        real(logits.tolist() as number[][][]),
        real(logitsOf(ours.model, ids, mask)),
      ];
      expect(largestDifference(found, expected)).toBeLessThan(1e-4);
      // Not because everything is the same.
      expect(largestDifference(found[0], expected[1]?.slice(0, 3))).toBeGreaterThan(0.1);
    }
  });

  test("writes our greedy text in a text-generation pipeline, in a padded batch", async () => {
    const paths = await saveBoth(temporaryFolder(), architecture);
    using ours = await loadDisposable(paths.model);
    const expected = await greedyText(ours, prompts, 8);
    expect(new Set(expected.map((text) => text.slice(-3))).size).toBeGreaterThan(1);
    expect(await pipelineText(paths.onnx, prompts)).toEqual(expected);
  });
});

test("a student that was trained, exported and loaded in a pipeline goes on as ours", async () => {
  const folder = temporaryFolder();
  await runToEnd(tinyRun(folder));
  using ours = await loadDisposable(await findModelFolder(join(folder, "tiny")));
  const path = join(folder, "export");
  await exportModel(path, ours, { format: "onnx", dtype: "float32" });
  const expected = await greedyText(ours, prompts, 8);
  // One by one: in a batch, transformers.js goes on with a row that has ended until all have.
  for (const [i, prompt] of prompts.entries()) {
    expect(await pipelineText(path, [prompt])).toEqual([expected[i]]);
  }
});

const stories = "stories260k-hf";
describe.skipIf(missing(stories))(
  `a pretrained Llama with its tokenizer (needs ../shared/data/${stories})`,
  () => {
    test("tells the same story in a pipeline", async () => {
      const path = join(temporaryFolder(), "export");
      using ours = await loadDisposable(sharedData(stories));
      await exportModel(path, ours, { format: "onnx", dtype: "float32" });
      const prompt = "Once upon a time, there was";
      const { model, tokenizer } = ours;
      const [rollout] = await sampleRollouts({
        model,
        ...{ prompts: [encodePrompt(tokenizer, prompt)], maxNewTokens: 8, random: new Random(1) },
        ...{ endIds: tokenizer.endIds, padId: tokenizer.padId },
        policy: { greedy: true, samplingTemperature: 1, topK: 0, topP: 1 },
      });
      const ids = [...(rollout?.promptIds ?? []), ...(rollout?.completionIds ?? [])];
      expect(await pipelineText(path, [prompt])).toEqual([tokenizer.decode(ids)]);
    });
  },
);

test("pupil export writes the folder and says what is in it", async () => {
  const folder = temporaryFolder();
  const { model } = await saveBoth(folder);
  const { code, stdout, stderr } = await runCli(["export", model, "output=site/student"], folder);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^site\/student\/onnx\/model\.onnx {2}[\d,]+ bytes$/m);
  expect(readdirSync(join(folder, "site", "student"))).toContain("tokenizer.json");
});

test("float16 weights compute in float32: the logits are those of the rounded weights", async () => {
  const paths = await saveBoth(temporaryFolder(), exportedArchitectures.gpt2, "float16");
  using ours = await loadDisposable(paths.model);
  const theirs = await hubModel(paths.onnx);
  const ids = [[1, 2, 3, 4]];
  const exact = logitsOf(ours.model, ids);
  for (const parameter of ours.model.parameters.values()) {
    const rounded = Float32Array.from(await parameter.data(), (x) => Math.fround(toHalf(x)));
    tf.tidy(() => parameter.assign(tf.tensor(rounded, parameter.shape)));
  }
  const { logits } = (await theirs({
    input_ids: int64(ids),
    attention_mask: int64([[1, 1, 1, 1]]),
  })) as { logits: Tensor };
  expect(largestDifference(logits.tolist(), logitsOf(ours.model, ids))).toBeLessThan(1e-4);
  expect(largestDifference(logits.tolist(), exact)).toBeGreaterThan(1e-4);
});

/** Rounded to the 11 significant bits of float16. */
function toHalf(x: number): number {
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(x) || 1))) - 10);
  return Math.round(x / step) * step;
}
