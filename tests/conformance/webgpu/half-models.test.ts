/** Models whose matrices are held as binary16, against the same models with rounded matrices in float32. */
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { currentExecutor } from "../../../src/backend/index.js";
import type { HalfBackend } from "../../../src/backend/webgpu/half-backend.js";
import {
  addAdapter,
  type Decoder,
  freezeModel,
  frozenBytes,
  fromFloat16,
  initializeDecoder,
  type LanguageModel,
  mergeAdapter,
  modelConfigSchema,
  setActiveAdapter,
  toFloat16,
  unmergeAdapter,
  withHead,
  withVocabulary,
} from "../../../src/models/index.js";
import { loadModelFolder, saveModelFolder } from "../../../src/node/models/model-folder.js";
import { loadTeacher } from "../../../src/node/teachers/index.js";
import { distributionStatistics } from "../../../src/ops/index.js";
import { saveSequenceModelFolder } from "../../../src/node/models/sequence-model-folder.js";
import { loadListTeacher } from "../../../src/node/runs/models/list-teacher.js";
import { loadReference } from "../../../src/node/runs/models/run-reference.js";
import { learnedPositions, makeBatch, type TokenSequence } from "../../../src/data/index.js";
import { sampleRollouts } from "../../../src/rollouts/index.js";
import { type HeadValues, hiddenStatesTeacher, modelTeacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { config as stepConfig, stepKinds, train } from "../../setup/steps/step-kinds.js";
import { missing, sharedData } from "../../setup/data/shared-data.js";
import { metricsOf, runToEnd, tinyRun } from "../../setup/runs/runs.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { saveTinyTeacher } from "../../setup/models/tiny-teacher.js";
import {
  hasLavapipe,
  hasVulkan,
  onLavapipe,
  onWebGpu,
  useWebGpuWithHalves,
} from "../../setup/backends/webgpu.js";
import { normals } from "../ops/cases/op-case.js";

const backend = () => tf.backend() as unknown as HalfBackend;

const configOf = (family: string) =>
  modelConfigSchema.parse({
    ...{ family, vocabSize: 29, hiddenSize: 16, numLayers: 2, numHeads: 4, maxPositions: 24 },
    ...(family === "gpt2" ? {} : { numKeyValueHeads: 2, intermediateSize: 24, headDim: 4 }),
    ...{ initializerRange: 0.3 },
  });

/** With fresh weights, its matrices rounded on the host. */
function roundedModel(family: string): Decoder {
  const model = initializeDecoder(configOf(family), new Random(2));
  for (const parameter of model.parameters.values()) {
    if (parameter.rank !== 2) continue;
    const values = parameter.dataSync<"float32">().map((value) => fromFloat16(toFloat16(value)));
    tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
  }
  return model;
}

async function heldModel(family: string): Promise<Decoder> {
  const model = initializeDecoder(configOf(family), new Random(2));
  expect(await freezeModel(model, "teacher")).toBe(true);
  return model;
}

const of = (size: number, name: string) => Float32Array.from(normals([size], name).data);

const ids = [
  [1, 5, 9, 28, 3, 3, 7],
  [2, 2, 0, 11, 19, 23, 4],
];

/** All that a teacher is asked for. */
async function answersOf(model: LanguageModel): Promise<object> {
  const wanted = { hiddenStates: [1], attentions: [2], keys: [1], values: [2] };
  const tensors = tf.tidy(() => {
    const inputs = { inputIds: tf.tensor2d(ids, undefined, "int32") };
    const { logits, layers } = model.forwardWithLayers?.(inputs, wanted) ?? {};
    const shown = Object.values<object>(layers ?? {}).flatMap<tf.Tensor>((one) =>
      Object.values(one),
    );
    return {
      logits: model.forward(inputs),
      hidden: model.hiddenStates?.(inputs) as tf.Tensor,
      again: logits as tf.Tensor,
      ...Object.fromEntries(shown.map((one, i) => [`layer ${i}`, one])),
    };
  });
  const answers: Record<string, unknown> = {};
  for (const [name, tensor] of Object.entries(tensors)) answers[name] = [...(await tensor.data())];
  tf.dispose(tensors);
  for (const [name, policy] of [
    ["sampled", { samplingTemperature: 1, topK: 0, topP: 1, greedy: false }],
    ["greedy", { samplingTemperature: 1, topK: 0, topP: 1, greedy: true }],
  ] as const) {
    answers[name] = await sampleRollouts({
      ...{ model, prompts: ids.map((row) => row.slice(0, 3)), endIds: [28], padId: 0 },
      ...{ maxNewTokens: 12, policy, random: new Random(4) },
    });
  }
  return answers;
}

/** Names of the programs of ours that are run, until it is disposed. */
function watchPrograms(): { readonly names: Set<string> } & Disposable {
  const { run } = backend();
  const names = new Set<string>();
  backend().run = (program, ...rest) => {
    names.add(program.name);
    run.call(backend(), program, ...rest);
  };
  return { names, [Symbol.dispose]: () => Reflect.deleteProperty(backend(), "run") };
}

describe.skipIf(!hasVulkan)(`${onWebGpu}: frozen models in 16 bits`, () => {
  beforeAll(useWebGpuWithHalves);
  afterAll(useCpu);

  const asWithRounded = async (family: string) => {
    const { mostArrays } = backend();
    backend().mostArrays = 8;
    const { numBytesUsed } = backend().pool;
    const rounded = roundedModel(family);
    const held = await heldModel(family);
    for (const [name, parameter] of held.parameters) {
      expect(backend().isHalf(parameter), name).toBe(parameter.rank === 2);
    }
    const expected = await answersOf(rounded);
    using watched = watchPrograms();
    expect(await answersOf(held)).toEqual(expected);
    expect([...watched.names].filter((name) => name.startsWith("widen"))).toEqual([]);
    expect([...watched.names].some((name) => name.startsWith("narrow"))).toBe(true);
    rounded.dispose();
    held.dispose();
    backend().mostArrays = mostArrays;
    expect(backend().pool.numBytesUsed).toBe(numBytesUsed);
  };
  const ofFamily =
    "%s: as with rounded matrices, nothing copied to be read, with as few arrays as any adapter has";
  test.each(["llama"])(ofFamily, asWithRounded);
  test.skipIf(!hasLavapipe).each(["gpt2", "qwen2", "qwen3"])(
    `${ofFamily}, ${onLavapipe}`,
    asWithRounded,
  );

  test.each([23, 31])("with a head of %i rows, for the student's vocabulary", async (vocabSize) => {
    const answers: object[] = [];
    for (const model of [roundedModel("llama"), await heldModel("llama")]) {
      const fitted = withVocabulary(model, vocabSize);
      await freezeModel(answers.length > 0 ? fitted : { parameters: new Map() }, "teacher");
      const { headWeight } = fitted;
      if (headWeight) expect(backend().isHalf(headWeight)).toBe(answers.length > 0);
      const logits = tf.tidy(() => {
        const inputs = { inputIds: tf.tensor2d(ids, undefined, "int32") };
        const states = fitted.hiddenStates?.(inputs);
        const made =
          states && headWeight && tf.matMul(states.reshape([-1, 16]), headWeight, false, true);
        return [fitted.forward(inputs), ...(made ? [made] : [])];
      });
      answers.push(await Promise.all(logits.map((one) => one.data())));
      tf.dispose(logits);
      fitted.dispose();
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  test.skipIf(!hasLavapipe)(
    `an adapter adds to them, is merged and taken out again, ${onLavapipe}`,
    async () => {
      const answers: unknown[] = [];
      for (const model of [roundedModel("llama"), await heldModel("llama")]) {
        addAdapter(model, "a", { rank: 2, targets: ["q_proj", "up_proj"], random: new Random(6) });
        setActiveAdapter(model, "a");
        for (const matrix of model.adapters.active?.parameters.values() ?? []) {
          tf.tidy(() => matrix.assign(tf.fill(matrix.shape, 0.125)));
        }
        const adapted = await answersOf(model);
        mergeAdapter(model, "a");
        const merged = await answersOf(model);
        unmergeAdapter(model);
        setActiveAdapter(model, undefined);
        answers.push([adapted, merged, await answersOf(model)]);
        model.dispose();
      }
      expect(answers[1]).toEqual(answers[0]);
    },
  );

  test("a teacher's folder: one in binary16 is held exactly, in half the memory", async () => {
    const folder = temporaryFolder();
    const saved = await saveTinyTeacher(folder);
    const loaded = await loadModelFolder(saved);
    await saveModelFolder(join(folder, "half"), loaded.model, loaded.tokenizer, {
      dtype: "float16",
    });
    loaded.model.dispose();
    const whole = await loadModelFolder(join(folder, "half"));
    const before = backend().pool.numBytesUsed;
    const teacher = await loadTeacher({ from: join(folder, "half") } as never);
    expect(teacher.notes[0]).toMatch(/, its matrices in 16 bits\.$/);
    expect(backend().pool.numBytesUsed - before).toBeGreaterThan(0);
    const run = { tokenizer: whole.tokenizer, vocabSize: undefined, random: new Random(1) };
    const { model } = await teacher.connect(run as never);
    for (const [name, parameter] of whole.model.parameters) {
      const held = model?.parameters.get(name) as tf.Tensor;
      expect(await held.data(), name).toEqual(await parameter.data());
    }
    teacher.dispose();
    whole.model.dispose();
    expect(backend().pool.numBytesUsed).toBe(before);
  });

  test("bytes of a model are what is said of it", async () => {
    // So large that its buffers are of the sizes of its matrices.
    const config = modelConfigSchema.parse({
      ...{ family: "llama", vocabSize: 512, hiddenSize: 256, intermediateSize: 512 },
      ...{ numLayers: 2, numHeads: 4, maxPositions: 32 },
    });
    backend().pool.trim(0);
    const { numBytesUsed, numBytesAllocated } = backend().pool;
    const { device } = backend();
    const make = device.createBuffer.bind(device);
    let most = 0;
    device.createBuffer = (descriptor) => {
      most = Math.max(most, backend().pool.numBytesAllocated + descriptor.size);
      return make(descriptor);
    };
    const model = initializeDecoder(config, new Random(1));
    await freezeModel(model, "teacher");
    device.createBuffer = make;
    // Beside them there was one matrix of each size in float32 at the most, and a few bytes of the check.
    const onTheWay = 4 * (512 * 256 + 256 * 256);
    expect(most - numBytesAllocated).toBeLessThan(frozenBytes(config) + onTheWay + 2000);
    const inputIds = tf.tensor2d([[1, 2]], undefined, "int32");
    model.forward({ inputIds }).dispose();
    inputIds.dispose();
    const bytes = backend().pool.numBytesUsed - numBytesUsed;
    // Five norms of 256 numbers are all that is not halved.
    expect(bytes).toBe(frozenBytes(config));
    expect(bytes).toBe(2 * model.numParameters + 2 * 5 * 256);
    backend().holdsHalves = false;
    expect(frozenBytes(config)).toBe(4 * model.numParameters);
    backend().holdsHalves = true;
    model.dispose();
  });

  const trains = async (name: string) => {
    const teacherOf = (isHeld: boolean) => async () => {
      const model = initializeDecoder(stepConfig, new Random(1).stream("teacher"));
      if (isHeld) await freezeModel(model, "teacher");
      else {
        for (const parameter of model.parameters.values()) {
          if (parameter.rank !== 2) continue;
          const values = parameter.dataSync<"float32">().map((v) => fromFloat16(toFloat16(v)));
          tf.tidy(() => parameter.assign(tf.tensor(values, parameter.shape)));
        }
      }
      return modelTeacher(model);
    };
    const trained = async (
      isHeld: boolean,
      replays: boolean,
      from?: Parameters<typeof train>[2],
    ) => {
      backend().replays = replays;
      const teacher = await teacherOf(isHeld)();
      const { replayed } = backend().replayReport();
      const kind = stepKinds[name] as (typeof stepKinds)[string];
      const result = await train({ ...kind, teacher: () => teacher }, 21, from);
      return { ...result, replayed: backend().replayReport().replayed - replayed };
    };
    const rounded = await trained(false, false);
    const computed = await trained(true, false);
    expect(computed.log).toEqual(rounded.log);
    expect(computed.weights).toEqual(rounded.weights);
    const replayed = await trained(true, true);
    expect(replayed.replayed).toBeGreaterThan(10);
    expect(replayed.log).toEqual(computed.log);
    expect(replayed.weights).toEqual(computed.weights);
    const rest = await trained(true, true, replayed.checkpoint);
    expect(rest.log).toEqual(computed.log.slice(-rest.log.length));
    expect(rest.weights).toEqual(computed.weights);
  };
  const ofKind = "%s from one: as from a rounded one, replayed as computed, resumed as whole";
  test
    .skipIf(!hasLavapipe)
    .each([
      "distill off policy",
      "distill, half on policy, two micro-batches",
      "distill on policy",
    ])(`${ofKind}, ${onLavapipe}`, trains);

  test("references, rerankers and heads of hidden states are frozen; students and averages of them are not", async () => {
    const folder = temporaryFolder();
    const from = await saveTinyTeacher(folder);
    const { model: student, tokenizer } = await loadModelFolder(from);
    const areHalf = (model: Pick<LanguageModel, "parameters"> | undefined) =>
      [...(model?.parameters.values() ?? [])]
        .filter(({ rank }) => rank === 2)
        .map((one) => backend().isHalf(one));
    const none = areHalf(student);
    expect(new Set(none)).toEqual(new Set([false]));
    const all = none.map(() => true);
    const random = new Random(5);
    const run = { tokenizer, vocabSize: undefined, student, random } as never;

    for (const [reference, given] of [
      [from, {}],
      ["initial", { from }],
      ["initial", { architecture: student.config }],
    ] as const) {
      const config = {
        ...tinyRun(folder),
        student: given,
        trainer: { type: "reinforce", reference },
      };
      const loaded = await loadReference(config as never, { student, tokenizer, random });
      expect(areHalf(loaded?.model)).toEqual(all);
      loaded?.dispose?.();
    }
    for (const config of [
      { type: "self", emaDecay: 0.9 },
      { type: "self", emaDecay: 1 },
    ]) {
      const loaded = await loadTeacher(config as never);
      const teacher = await loaded.connect(run);
      expect(areHalf(teacher.model), JSON.stringify(config)).toEqual(none);
      teacher.dispose?.();
    }
    expect(areHalf(student)).toEqual(none);

    const reranker = withHead(initializeDecoder(student.config, new Random(3)), { random });
    await saveSequenceModelFolder(join(folder, "reranker"), reranker, tokenizer);
    reranker.dispose();
    const names = watchPrograms();
    const scores = { type: "model", from: join(folder, "reranker") };
    const ranks = { ...tinyRun(folder), trainer: { type: "rank", scores } };
    const list = await loadListTeacher(ranks as never);
    expect([...names.names].some((name) => name.startsWith("narrow and measure"))).toBe(true);
    names[Symbol.dispose]();
    list?.dispose();

    const head = {
      values: of(5 * 4, "head"),
      vocabSize: 5,
      hiddenSize: 4,
    } as unknown as HeadValues;
    const states = (rows: readonly TokenSequence[]) =>
      Promise.resolve(rows.map((row) => of(4 * learnedPositions(row).length, "states")));
    using hidden = hiddenStatesTeacher({ name: "states", states } as never, head);
    using batch = makeBatch([{ ids: [1, 2, 3], completionStart: 1 }], 0);
    const answer = await hidden.score(batch, ["teacherLogits"]);
    const parts = answer.hidden?.();
    expect(backend().isHalf(parts?.head as tf.Tensor)).toBe(true);
    tf.dispose(parts?.hidden);
    student.dispose();
  });

  test.skipIf(!hasLavapipe)(
    "a run with one says so, keeps nothing from step to step, and its checkpoint is noted for it (needs scripts/test/test-with-mesa.sh)",
    async () => {
      const folder = temporaryFolder();
      const from = await saveTinyTeacher(folder);
      const config = tinyRun(folder, {
        ...{ backend: "webgpu", teacher: { from } },
        trainer: {
          ...{ type: "distill", steps: 6, batchSize: 4, warmupSteps: 2, onPolicyFraction: 0 },
          loss: [{ type: "reverse-kl" }],
        },
      });
      const alive: number[] = [];
      const used: number[] = [];
      const events = await runToEnd(config, {
        onStep: () => {
          alive.push(tf.memory().numTensors);
          used.push(backend().pool.numBytesUsed);
        },
      });
      const [started] = events;
      expect(JSON.stringify(started)).toContain("its matrices in 16 bits");
      expect(new Set(alive.slice(3)).size).toBe(1);
      expect(new Set(used.slice(3)).size).toBe(1);
      expect(metricsOf(config).length).toBeGreaterThan(0);
      expect(currentExecutor()).toBe("webgpu: frozen models in 16 bits");

      const stopped = { ...config, name: "stopped" };
      await runToEnd(stopped, { stopAfter: 3 });
      await runToEnd(stopped, { resume: true });
      expect(metricsOf(stopped)).toEqual(metricsOf(config));
      const other = { ...config, name: "other" };
      await runToEnd(other, { stopAfter: 3 });
      backend().holdsHalves = false;
      const [resumed] = await runToEnd(other, { resume: true });
      backend().holdsHalves = true;
      expect(JSON.stringify(resumed)).toContain(
        "written on webgpu: frozen models in 16 bits and is continued on webgpu: the run is the same up to rounding",
      );
    },
  );

  describe.skipIf(missing("stories260k-hf"))("(needs ../shared/data/stories260k-hf)", () => {
    test("a real teacher says nearly the same: KL(float32 ‖ 16 bits)", async () => {
      const folder = sharedData("stories260k-hf");
      const { model: whole, tokenizer } = await loadModelFolder(folder);
      const { model: held } = await loadModelFolder(folder);
      expect(await freezeModel(held, folder)).toBe(true);
      const text =
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. " +
        "One day, she saw a big, red ball. She wanted to play with it, but it was too high.";
      const inputIds = tf.tensor2d([[1, ...tokenizer.encode(text)]], undefined, "int32");
      const columns = tf.tidy(() => {
        const logits = (one: LanguageModel) => one.forward({ inputIds }).squeeze<tf.Tensor2D>([0]);
        return distributionStatistics(logits(held), logits(whole));
      });
      const rows = await columns.array();
      const kls = rows.map(([forwardKl]) => forwardKl as number);
      const mean = kls.reduce((sum, kl) => sum + kl, 0) / kls.length;
      const agree = rows.filter((row) => row[5] === 1).length;
      // Measured: docs/backends.md.
      expect(kls.length).toBeGreaterThan(50);
      expect(mean).toBeGreaterThan(1e-8);
      expect(mean).toBeLessThan(1e-6);
      expect(agree).toBe(rows.length);
      tf.dispose([inputIds, columns]);
      whole.dispose();
      held.dispose();
    });
  });
});
