import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeBatch } from "../../../../src/data/index.js";
import { crossEntropyLoss, lossTerm } from "../../../../src/losses/index.js";
import {
  addAdapter,
  copyDecoder,
  type Decoder,
  decoderFromTensors,
  decoderToTensors,
  mergeAdapter,
  type ModelConfig,
  removeAdapter,
  setActiveAdapter,
  unmergeAdapter,
} from "../../../../src/models/index.js";
import { AdamW } from "../../../../src/optim/index.js";
import { ownDistribution, sampleRollouts } from "../../../../src/rollouts/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { applyGradients, computeGradients } from "../../../../src/trainers/step/step.js";
import { useCpu } from "../../../setup/backends/backend.js";
import { useWasmEngine } from "../../../setup/backends/wasm-engine.js";
import { largestDifference, logitsOf, tinyConfigs, tinyDecoder } from "../tiny-models.js";

const row = [3, 1, 4, 1, 5, 6, 2, 0];
const random = new Random(5);
const tolerance = 3e-5;

/** A decoder with adapters whose B is no longer 0. */
function adapted(config: ModelConfig, names: readonly string[]): Decoder {
  const decoder = tinyDecoder(config);
  for (const name of names) {
    const options = { rank: 2, alpha: 3, random: random.stream(name) };
    const adapter = addAdapter(decoder, name, options);
    for (const [key, parameter] of adapter.parameters) {
      const noise = random.stream("noise", key);
      const values = Float32Array.from({ length: parameter.size }, () => 0.4 * noise.normal());
      tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
    }
  }
  return decoder;
}

/** Greedy tokens with a cache, and without one by whole passes. */
async function greedyTokens(decoder: Decoder): Promise<{ cached: number[]; whole: number[] }> {
  const maxNewTokens = 6;
  const [rollout] = await sampleRollouts({
    ...{ model: decoder, prompts: [[3, 1, 4]], endIds: [], padId: 0, maxNewTokens, random },
    policy: { ...ownDistribution, greedy: true },
  });
  const whole = [3, 1, 4];
  for (let i = 0; i < maxNewTokens; i++) {
    const logits = logitsOf(decoder, [whole])[0]?.at(-1) as number[];
    whole.push(logits.indexOf(Math.max(...logits)));
  }
  return { cached: [...(rollout?.completionIds ?? [])], whole: whole.slice(3) };
}

async function trainStep(decoder: Decoder, optimizer: AdamW): Promise<number> {
  using batch = makeBatch([{ ids: row, completionStart: 2 }], 0);
  const terms = [lossTerm(crossEntropyLoss, {})];
  using step = await computeGradients(decoder, terms, [{ batch, onPolicyRows: 0 }]);
  applyGradients(optimizer, step, 0.1, 1);
  return step.loss;
}

const bits = (decoder: Decoder) =>
  [...decoder.parameters.values()].map((parameter) => [...parameter.dataSync()]);

describe.each(["cpu", "the engine"])("on %s", (backend) => {
  beforeAll(async () => {
    if (backend !== "cpu") await useWasmEngine();
  });
  afterAll(useCpu);

  describe.each(["llama", "qwen3", "gpt2"])("%s", (family) => {
    const config = tinyConfigs[family] as ModelConfig;

    test("a fresh adapter changes nothing; several are switched, merged and unmerged", () => {
      using decoder = adapted(config, ["first", "second"]);
      const logits = () => logitsOf(decoder, [row]);
      const plain = logits();
      addAdapter(decoder, "fresh", { rank: 3, random });
      setActiveAdapter(decoder, "fresh");
      expect(logits()).toEqual(plain);
      setActiveAdapter(decoder, "first");
      const first = logits();
      setActiveAdapter(decoder, "second");
      const second = logits();
      for (const other of [plain, second]) {
        expect(largestDifference(first, other)).toBeGreaterThan(0.05);
      }
      const before = bits(decoder);
      mergeAdapter(decoder, "first");
      expect(decoder.adapters.active?.name).toBe("first");
      expect(largestDifference(logits(), first)).toBeLessThan(tolerance);
      unmergeAdapter(decoder);
      expect(bits(decoder)).toEqual(before);
      expect(logits()).toEqual(first);
      setActiveAdapter(decoder, undefined);
      expect(logits()).toEqual(plain);
    });

    test("generation with a cache equals whole passes: active, switched, stepped, merged", async () => {
      using decoder = adapted(config, ["first", "second"]);
      const seen: number[][] = [];
      const check = async () => {
        const { cached, whole } = await greedyTokens(decoder);
        expect(cached).toEqual(whole);
        seen.push(cached);
      };
      for (const name of [undefined, "first", "second"]) {
        setActiveAdapter(decoder, name);
        await check();
      }
      using optimizer = new AdamW(decoder.trainableParameters());
      await trainStep(decoder, optimizer);
      await check();
      mergeAdapter(decoder, "second");
      await check();
      expect(seen.at(-1)).toEqual(seen.at(-2));
      expect(new Set(seen.map(String)).size).toBeGreaterThan(2);
    });

    test("training changes the active adapter alone, and only it has moments", async () => {
      using decoder = adapted(config, ["first", "second"]);
      setActiveAdapter(decoder, "first");
      const values = (name: string) =>
        [...decoder.adapters.get(name).parameters.values()].map((v) => [...v.dataSync()]);
      const before = { base: bits(decoder), first: values("first"), second: values("second") };
      const trainable = [...decoder.trainableParameters().keys()];
      expect(trainable).toEqual([...decoder.adapters.get("first").parameters.keys()]);
      using optimizer = new AdamW(decoder.trainableParameters());
      const losses: number[] = [];
      for (let i = 0; i < 4; i++) losses.push(await trainStep(decoder, optimizer));
      expect(losses.at(-1)).toBeLessThan(losses[0] as number);
      expect(bits(decoder)).toEqual(before.base);
      expect(values("second")).toEqual(before.second);
      for (const [i, matrix] of values("first").entries()) {
        expect(matrix).not.toEqual(before.first[i]);
      }
      const { moments } = await optimizer.state();
      expect(moments.size).toBe(2 * trainable.length);
    });

    test("read or copied, its weights are those with the active adapter", async () => {
      using decoder = adapted(config, ["first"]);
      setActiveAdapter(decoder, "first");
      const expected = logitsOf(decoder, [row]);
      using read = decoderFromTensors(config, await decoderToTensors(decoder), "test");
      expect(largestDifference(logitsOf(read, [row]), expected)).toBeLessThan(tolerance);
      using copy = copyDecoder(decoder);
      expect([...copy.parameters.values()].some(({ trainable }) => trainable)).toBe(false);
      setActiveAdapter(decoder, undefined);
      expect(largestDifference(logitsOf(copy, [row]), expected)).toBeLessThan(tolerance);
    });
  });
});

const llama = tinyConfigs["llama"] as ModelConfig;

test("a view has its adapter or none, whatever the model does, and owns nothing", async () => {
  using decoder = adapted(llama, ["first"]);
  const plain = logitsOf(decoder, [row]);
  setActiveAdapter(decoder, "first");
  const view = decoder.withAdapter(undefined);
  const other = decoder.withAdapter("first");
  const logits = logitsOf(decoder, [row]);
  setActiveAdapter(decoder, undefined);
  expect(logitsOf(view as Decoder, [row])).toEqual(plain);
  expect(logitsOf(other as Decoder, [row])).toEqual(logits);
  setActiveAdapter(decoder, "first");
  using optimizer = new AdamW(decoder.trainableParameters());
  await trainStep(decoder, optimizer);
  expect(logitsOf(view as Decoder, [row])).toEqual(plain);
  view.dispose();
  expect(logitsOf(decoder, [row])).not.toEqual(logits);
});

test("a removed adapter is gone, or part of the weights for good if it was merged", () => {
  using decoder = adapted(llama, ["first", "second"]);
  const plain = logitsOf(decoder, [row]);
  setActiveAdapter(decoder, "second");
  removeAdapter(decoder, "second");
  expect(decoder.adapters.names).toEqual(["first"]);
  expect(logitsOf(decoder, [row])).toEqual(plain);
  setActiveAdapter(decoder, "first");
  const first = logitsOf(decoder, [row]);
  mergeAdapter(decoder, "first");
  removeAdapter(decoder, "first");
  expect(decoder.adapters.names).toEqual([]);
  expect(largestDifference(logitsOf(decoder, [row]), first)).toBeLessThan(tolerance);
});

test("A begins as in PEFT, the same for the same seed; B is 0", () => {
  using decoder = tinyDecoder(llama);
  const options = { rank: 4, targets: ["down_proj"], random };
  addAdapter(decoder, "kaiming", options);
  addAdapter(decoder, "again", options);
  addAdapter(decoder, "gaussian", { ...options, initialization: "gaussian" });
  const values = (adapter: string, matrix: "A" | "B") =>
    [...decoder.adapters.get(adapter).parameters]
      .filter(([name]) => name.includes(`lora_${matrix}`))
      .flatMap(([, variable]) => [...variable.dataSync()]);
  const bound = 1 / Math.sqrt(llama.intermediateSize);
  const kaiming = values("kaiming", "A");
  expect(Math.max(...kaiming.map(Math.abs))).toBeLessThan(bound);
  expect(Math.max(...kaiming.map(Math.abs))).toBeGreaterThan(0.9 * bound);
  expect(values("again", "A")).toEqual(kaiming);
  const gaussian = values("gaussian", "A");
  const deviation = Math.sqrt(gaussian.reduce((sum, x) => sum + x * x, 0) / gaussian.length);
  expect(Math.abs(deviation - 0.25)).toBeLessThan(0.05);
  for (const name of ["kaiming", "gaussian"]) {
    expect(values(name, "B").every((x) => x === 0)).toBe(true);
  }
});

test("scales by alpha / rank, or alpha / √rank where it is stabilized", () => {
  using decoder = tinyDecoder(llama);
  const scales = [
    { rank: 4 },
    { rank: 4, alpha: 8 },
    { rank: 4, alpha: 8, rankStabilized: true },
  ].map((options, i) => {
    const { layers } = addAdapter(decoder, `a${i}`, { ...options, random });
    return [...layers.values()][0]?.scale;
  });
  expect(scales).toEqual([1, 2, 4]);
});

describe("a mistake is a clear error that changes nothing", () => {
  const cases: [string, (decoder: Decoder) => void, RegExp][] = [
    [
      "a target that does not exist",
      (decoder) => addAdapter(decoder, "b", { targets: ["q_prj"], random }),
      /^lora\.targets: The model has no projection "q_prj"\. Did you mean "q_proj"\? Allowed: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj\. Or "all-linear"/,
    ],
    [
      "a rank above the weight's",
      (decoder) => addAdapter(decoder, "b", { rank: 5, random }),
      /^lora\.rank: is more than the rank of model\.layers\.0\.self_attn\.k_proj, which has 4×8\. Choose at most 4/,
    ],
    [
      "a name that is taken",
      (decoder) => addAdapter(decoder, "first", { rank: 2, random }),
      /has an adapter "first" already\..*another name/,
    ],
    [
      "a name that is none",
      (decoder) => addAdapter(decoder, "a.b", { rank: 2, random }),
      /"a\.b" is no name for an adapter/,
    ],
    [
      "an adapter that does not exist",
      (decoder) => setActiveAdapter(decoder, "frist"),
      /has no adapter "frist"\. Did you mean "first"/,
    ],
    ["unmerging what is not merged", (decoder) => unmergeAdapter(decoder), /No adapter is merged/],
  ];
  test.each(cases)("%s", (_name, act, message) => {
    using decoder = adapted(llama, ["first"]);
    const before = tf.memory().numTensors;
    expect(() => act(decoder)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
    expect(decoder.adapters.names).toEqual(["first"]);
  });

  test("merging while training: the next step says so, and unmerging goes on", async () => {
    using decoder = adapted(llama, ["first", "second"]);
    setActiveAdapter(decoder, "first");
    using optimizer = new AdamW(decoder.trainableParameters());
    await trainStep(decoder, optimizer);
    mergeAdapter(decoder, "first");
    const message =
      /cannot be trained while "first" is merged into the weights\. Call unmergeAdapter/;
    await expect(trainStep(decoder, optimizer)).rejects.toThrow(message);
    expect(() => setActiveAdapter(decoder, "second")).toThrow(/cannot be switched while/);
    expect(() => mergeAdapter(decoder, "second")).toThrow(/cannot be merged while/);
    unmergeAdapter(decoder);
    await trainStep(decoder, optimizer);
  });

  test("training without an active adapter", async () => {
    using decoder = adapted(llama, ["first"]);
    using optimizer = new AdamW(decoder.trainableParameters());
    await expect(trainStep(decoder, optimizer)).rejects.toThrow(/frozen.*setActiveAdapter/);
  });
});
