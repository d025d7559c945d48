import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "#tfjs-registrations";
import { startWasmBackend } from "../../src/backend/wasm/index.js";
import { openCheckpoint, readFolderConfig } from "../../src/folders/index.js";
import {
  type Decoder,
  loadDecoder,
  parseHuggingFaceConfig,
  toHuggingFaceConfig,
} from "../../src/models/index.js";
import { diskFolder } from "../../src/node/files/disk-folder.js";
import { availableExecutors } from "../../src/node/native-kernels.js";
import { nodeWasmPlatform } from "../../src/node/wasm-platform.js";
import { type Comparison, Tally } from "./comparison.js";

interface Case {
  readonly folder: string;
  readonly ids: number[];
  /** `[T, V]` of the ids. */
  readonly logits: number[];
  readonly prompt: number[];
  /** What follows the prompt, greedily, and the lead of each token's logit over the next best. */
  readonly completion: number[];
  readonly leads: number[];
}

/** Largest difference of a logit, as a part of the largest logit. */
const tolerance = 2e-5;

/** Logits and greedy completions on tfjs's own backend and on every executor of the CPU engine. */
export async function compareCheckpoints(made: string): Promise<Comparison> {
  const cases = JSON.parse(made) as Case[];
  const tally = new Tally();
  await tf.setBackend("cpu");
  // Keeps tfjs from advertising tfjs-node.
  (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
  await compareAll("cpu", cases, tally);
  for (const executor of availableExecutors()) {
    await startWasmBackend(nodeWasmPlatform, { numThreads: 1, executor });
    await compareAll(executor, cases, tally);
  }
  return tally;
}

async function compareAll(backend: string, cases: readonly Case[], tally: Tally): Promise<void> {
  for (const each of cases) {
    const config = readFileSync(join(each.folder, "config.json"), "utf8");
    let decoder: Decoder;
    try {
      decoder = await load(each.folder);
    } catch (error) {
      tally.refuse(error);
      continue;
    }
    using loaded = decoder;
    compareCase(loaded, each, `${backend}: ${config}`, tally);
  }
}

async function load(path: string): Promise<Decoder> {
  const folder = diskFolder(path);
  const { config } = await readFolderConfig(folder);
  const again = parseHuggingFaceConfig(toHuggingFaceConfig(config), "written");
  if (!isDeepStrictEqual(again.config, config)) throw new Error("It is written as another.");
  const weights = await openCheckpoint(folder);
  return loadDecoder(config, weights, weights.source);
}

function compareCase(decoder: Decoder, python: Case, of: string, tally: Tally): void {
  const logits = tf.tidy(() => decoder.forward({ inputIds: row(python.ids) }).dataSync());
  const scale = Math.max(...python.logits.map(Math.abs));
  const difference = Math.max(...python.logits.map((x, i) => Math.abs(x - logits[i]!))) / scale;
  if (!(difference <= tolerance)) tally.differ("logits", 0, difference, of);
  else tally.same += 1;

  // From where two tokens are equally good, either may follow.
  const decided = python.leads.findIndex((lead) => lead < 2 * tolerance * scale);
  const length = decided < 0 ? python.leads.length : decided;
  const expected = python.completion.slice(0, length);
  const completion = complete(decoder, python.prompt, length);
  if (isDeepStrictEqual(completion, expected)) tally.same += 1;
  else tally.differ(`completion of ${python.prompt.join(" ")}`, expected, completion, of);
}

/** The tokens that follow greedily, one at a time from a cache. */
function complete(decoder: Decoder, prompt: number[], length: number): number[] {
  using cache = decoder.createCache();
  const completion: number[] = [];
  let next = prompt;
  while (completion.length < length) {
    const best = tf.tidy(() => {
      const inputs = { inputIds: row(next) };
      return decoder.forward(inputs, cache, { lastPositionOnly: true }).argMax(-1).dataSync()[0]!;
    });
    completion.push(best);
    next = [best];
  }
  return completion;
}

function row(ids: number[]): tf.Tensor2D {
  return tf.tensor2d([ids], undefined, "int32");
}
