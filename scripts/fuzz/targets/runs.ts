/** What runs and recordings leave on disk, and what is written by hand for them. */
import * as tf from "@tensorflow/tfjs-core";
import { applyOverrides } from "../../../src/config/index.js";
import { openRecording, parseRunConfig, readJson } from "../../../src/node/index.js";
import {
  restoreTrainingState,
  trainingStateFiles,
} from "../../../src/node/runs/folder/training-state.js";
import { AdamW } from "../../../src/optim/index.js";
import {
  encodeRow,
  encodeShard,
  logProbLayout,
  type LogProbsManifest,
  rowKey,
} from "../../../src/teachers/index.js";
import { createVariable } from "../../../src/tensors/index.js";
import { crc32 } from "../../../src/teachers/recorded/crc32.js";
import { bytesOf, type FuzzTarget, type Input } from "../target.js";
import { inFolder } from "./folder.js";

const runConfig = {
  name: "fuzz",
  student: { architecture: { family: "llama", hiddenSize: 8, numLayers: 1, numHeads: 2 } },
  teacher: {
    type: "http",
    url: "http://localhost:8000",
    server: "vllm",
    model: "m",
    tokenizer: "t",
    topK: 5,
  },
  data: { type: "file", path: "train.jsonl", fields: { prompt: "p", completion: "c" } },
  trainer: {
    type: "distill",
    steps: 10,
    loss: [{ type: "forward-kl", weight: 0.5, temperature: 2 }, { type: "sparse-kl" }],
    sampling: { temperature: 0.8, topP: 0.9 },
    optimizer: { beta1: 0.9 },
  },
  evaluation: { every: 5 },
};

function parameters(): Map<string, tf.Variable> {
  const make = (shape: number[]) => createVariable(tf.ones(shape));
  return new Map([
    ["a.weight", make([2, 3])],
    ["a.bias", make([3])],
  ]);
}

const description: Omit<LogProbsManifest, "complete" | "shards" | "counts"> = {
  formatVersion: 1,
  tokens: "likeliest",
  k: 2,
  sampleTemperature: 1,
  dtype: "float16",
  vocabSize: 12,
  maxPositions: 16,
  tokenizer: "t",
  teacher: { name: "m", config: {}, hash: "0", hashOf: "description" },
  source: {},
};
const recordedIds = [
  [1, 2, 3],
  [4, 5, 6, 7],
];
const keys = recordedIds.map((ids) => rowKey({ ids, completionStart: 1 }));

function recording(): Input {
  const layout = logProbLayout(description);
  const rows = recordedIds.map((ids, i) => {
    const positions = ids.slice(1).map(() => ({
      tokenLogProb: -1,
      logTail: -2,
      logNormalizer: 0,
      ids: [1, 2],
      logProbs: [-0.5, -1.5],
    }));
    return { key: keys[i] as string, bytes: encodeRow({ ids, positions, id: `row ${i}` }, layout) };
  });
  const range = { start: 0, end: 2, repeated: 0, unfinished: 0, positions: 5 };
  const shard = encodeShard(rows, range);
  const counts = { sourceRows: 2, rows: 2, tokens: 5, repeated: 0, unfinished: 0 };
  const shards = [{ file: "shard-00000.bin", bytes: shard.length, rows: 2 }];
  const manifest = { ...description, complete: true, shards, counts };
  return { "manifest.json": bytesOf(manifest), "shard-00000.bin": shard };
}

/** Every other shard gets checksums that fit, so that what is behind them is reached. */
function withChecksums(shard: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(shard);
  const view = new DataView(copy.buffer);
  if (copy.length < 40 || copy.length % 2 === 0) return copy;
  const rows = Math.min(view.getUint32(12, true), Math.floor((copy.length - 40) / 20));
  for (let i = 0; i < rows; i++) {
    const at = 40 + i * 20;
    const [offset, length] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
    view.setUint32(at + 16, crc32(copy.subarray(offset, offset + length)), true);
  }
  const table = copy.slice(0, 40 + view.getUint32(12, true) * 20);
  new DataView(table.buffer).setUint32(36, 0, true);
  view.setUint32(36, crc32(table), true);
  return copy;
}

export const runTargets: readonly FuzzTarget[] = [
  {
    name: "run-config",
    shapes: { "*": ["json"] },
    seeds: () => [{ config: bytesOf(runConfig) }],
    read: ({ config }) =>
      inFolder({ "run.json": config as Uint8Array }, async (folder) =>
        parseRunConfig(await readJson(`${folder}/run.json`, "run config"), "run.json"),
      ),
    allowsUndefined: true,
  },
  {
    name: "overrides",
    shapes: { "*": ["lines", "text"] },
    seeds: () => [
      {
        words: bytesOf(
          "trainer.steps=200\ntrainer.loss.0.temperature=2\nlosses.0=a.ts\nteacher=null",
        ),
      },
    ],
    read: ({ words }) => {
      const lines = new TextDecoder().decode(words).split("\n");
      return parseRunConfig(applyOverrides(structuredClone(runConfig), lines), "run.json");
    },
    allowsUndefined: true,
  },
  {
    name: "trainer-state",
    // A loss may remember NaN; the step after it is refused.
    allowsNaN: true,
    shapes: { "trainer-state.json": ["json"], "optimizer.safetensors": ["safetensors"] },
    seeds: async () => {
      await tf.setBackend("cpu");
      using optimizer = new AdamW(parameters());
      const files = await trainingStateFiles(3, optimizer, { taid: { alpha: 0.5 } } as never, {
        teacher: undefined,
        projections: undefined,
      });
      const entries = [...files].map(([name, content]) => [
        name,
        typeof content === "string" ? bytesOf(content) : content,
      ]);
      return [Object.fromEntries(entries) as Input];
    },
    read: (input) =>
      inFolder(input, async (folder) => {
        using optimizer = new AdamW(parameters());
        const learned = { teacher: undefined, projections: undefined };
        const state = await restoreTrainingState(folder, optimizer, learned);
        return { state, updates: optimizer.updates };
      }),
    check: (value) => {
      const { updates } = value as { updates: number };
      return Number.isSafeInteger(updates) && updates >= 0 ? undefined : `${updates} updates`;
    },
  },
  {
    name: "recording",
    shapes: { "manifest.json": ["json"], "shard-00000.bin": [] },
    seeds: () => [recording()],
    read: (input) => {
      const shard = withChecksums(input["shard-00000.bin"] as Uint8Array);
      return inFolder({ ...input, "shard-00000.bin": shard }, async (folder) => {
        const opened = await openRecording(folder);
        return opened.read(keys.filter((key) => opened.has(key)));
      });
    },
    check: (value) => {
      const rows = value as { ids: number[]; positions: { ids: ArrayLike<number> }[] }[];
      const ids = rows.flatMap((row) => [
        ...row.ids,
        ...row.positions.flatMap((p) => [...Array.from(p.ids)]),
      ]);
      const bad = ids.find((id) => id >= description.vocabSize);
      return bad === undefined ? undefined : `an id ${bad} outside of the vocabulary`;
    },
    allowsUndefined: true,
  },
];
