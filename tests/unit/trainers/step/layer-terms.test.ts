/** Losses on states of layers in a training step: which layers, which positions, and the gradient. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import type { TokenSequence } from "../../../../src/data/index.js";
import {
  attentionRelationLoss,
  forwardKlLoss,
  hiddenStateLoss,
  initialLossStates,
  inBatchContrastiveLoss,
  kvMatchLoss,
  type LayerPair,
  type LossTerm,
  lossTerm,
  lossTermFromConfig,
  lossTermSchema,
  neuronSelectivityLoss,
} from "../../../../src/losses/index.js";
import {
  copyDecoder,
  type Decoder,
  type LanguageModel,
  type ModelConfig,
} from "../../../../src/models/index.js";
import { AdamW } from "../../../../src/optim/index.js";
import { modelTeacher, promptedTeacher, type Teacher } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import {
  checkLoss,
  distill,
  layerSizesOf,
  type LossSupply,
  makeProjections,
  type Projections,
} from "../../../../src/trainers/index.js";
import { requestedLayers, settleLayers } from "../../../../src/trainers/step/layer-terms.js";
import { splitIntoBatches } from "../../../../src/trainers/step/micro-batches.js";
import { scoreBatches } from "../../../../src/trainers/step/score-batches.js";
import { computeGradients } from "../../../../src/trainers/step/step.js";
import { useCpu } from "../../../setup/backends/backend.js";
import { ChainModel } from "../../../setup/models/chain-model.js";
import { useWasmEngine } from "../../../setup/backends/wasm-engine.js";
import { tinyConfigs, tinyDecoder } from "../../models/tiny-models.js";

const llama = tinyConfigs["llama"] as ModelConfig;
const { vocabSize, numLayers, numHeads } = llama;
/** Wider and deeper than the student, with heads of the same size. */
const large: ModelConfig = { ...llama, hiddenSize: llama.hiddenSize + 2, numLayers: 3 };

const rows: TokenSequence[] = [7, 3, 5, 2].map((length, row) => {
  const random = new Random(4).stream(row);
  const ids = Array.from({ length }, () => random.integer(vocabSize));
  return { ids, completionStart: 1 + (row % 2) };
});

interface Settings {
  readonly parts?: number;
  readonly packing?: boolean;
  readonly projections?: Projections | undefined;
  readonly data?: readonly TokenSequence[];
}

/** A step on the rows: its terms and gradients. */
async function stepOf(
  student: LanguageModel,
  model: Decoder,
  loss: readonly LossTerm[],
  { parts = 1, packing = false, projections, data = rows }: Settings = {},
) {
  const teacher = modelTeacher(model);
  const sizes = { student: layerSizesOf(student), teacher: teacher.layerSizes };
  const settled = settleLayers(loss, sizes);
  using batches = splitIntoBatches([], data, parts, 0, { packing });
  const signals = checkLoss(loss, {
    ...{ studentVocabSize: vocabSize, studentLayers: sizes.student, teacher, packing },
    ...{ onPolicyFraction: 0, gradientAccumulationSteps: parts },
  });
  const layers = requestedLayers(settled, "teacher");
  using scored = await scoreBatches(batches, teacher, { signals, layers, random: new Random(3) });
  using step = await computeGradients(student, settled, scored.parts, {
    ...{ progress: 0, states: initialLossStates(settled) },
    ...(projections && { projections }),
  });
  const gradients = new Map<string, Float32Array>();
  for (const [name, gradient] of step.gradients) {
    gradients.set(name, Float32Array.from(await gradient.data()));
  }
  return { loss: step.loss, terms: step.terms, gradients };
}

/** Completion positions of a row: those whose next token is learned. */
const learned = ({ ids, completionStart }: TokenSequence) =>
  ids.map((_, t) => t).slice(completionStart - 1, ids.length - 1);

/** States of one row by itself, as nested arrays. */
function statesOf(model: Decoder, { ids }: TokenSequence) {
  const all = [0, 1, 2, 3].filter((layer) => layer <= model.config.numLayers);
  const blocks = all.slice(1);
  return tf.tidy(() => {
    const inputIds = tf.tensor2d([ids.slice(0, -1)], undefined, "int32");
    const wanted = { hiddenStates: all, attentions: blocks, keys: blocks, values: blocks };
    const { layers } = model.forwardWithLayers({ inputIds }, wanted);
    const read = (given: Readonly<Record<number, tf.Tensor>> = {}) =>
      Object.fromEntries(Object.entries(given).map(([l, x]) => [l, x.squeeze([0]).arraySync()]));
    return {
      hiddenStates: read(layers.hiddenStates) as Record<number, number[][]>,
      attentions: read(layers.attentions) as Record<number, number[][][]>,
      keys: read(layers.keys) as Record<number, number[][][]>,
      values: read(layers.values) as Record<number, number[][][]>,
    };
  });
}

const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length;
const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);
const twoPairs: LayerPair[] = [
  [0, 1],
  [2, 3],
];

describe("a term on layers", () => {
  const teacherModel = () => tinyDecoder({ ...llama, numLayers: 3 }, 2);

  test("of hidden states is the mean over its pairs, at positions that are learned", async () => {
    using student = tinyDecoder(llama);
    using teacher = teacherModel();
    const { terms } = await stepOf(student, teacher, [lossTerm(hiddenStateLoss, {}, 1, twoPairs)]);
    const values = rows.flatMap((row) => {
      const [own, other] = [statesOf(student, row), statesOf(teacher, row)];
      return learned(row).map((t) =>
        mean(
          twoPairs.map(([s, l]) => {
            const target = other.hiddenStates[l]![t]!;
            return mean(own.hiddenStates[s]![t]!.map((x, d) => (x - target[d]!) ** 2));
          }),
        ),
      );
    });
    expect(terms["hidden-state"]).toBeCloseTo(mean(values), 5);
    expect(terms["hidden-state"]).toBeGreaterThan(0.1);
  });

  test("compares the last layers by default", async () => {
    using student = tinyDecoder(llama);
    using teacher = teacherModel();
    const loss = (layers?: LayerPair[]) => [
      lossTerm(hiddenStateLoss, { metric: "cosine" }, 1, layers),
      lossTerm(attentionRelationLoss, {}, 1, layers),
    ];
    const byDefault = await stepOf(student, teacher, loss());
    const named = await stepOf(student, teacher, loss([[numLayers, 3]]));
    expect(byDefault).toEqual(named);
  });

  test("of attentions and caches has the heads of all its layers side by side", async () => {
    using student = tinyDecoder(llama);
    using teacher = teacherModel();
    const pairs: LayerPair[] = [
      [1, 1],
      [2, 3],
    ];
    const { terms } = await stepOf(student, teacher, [
      lossTerm(attentionRelationLoss, { metric: "mse" }, 1, pairs),
      lossTerm(kvMatchLoss, { power: 2 }, 1, pairs),
    ]);
    const counted = rows.filter((row) => learned(row).length > 0);
    expect(counted.length).toBe(rows.length - 1);
    const compared = counted.map((row) => ({
      positions: learned(row),
      own: statesOf(student, row),
      other: statesOf(teacher, row),
    }));
    /** Σ over the last axis of squared differences, mean over heads, at every learned position. */
    const distances = (state: "attentions" | "keys" | "values") =>
      compared.map(({ positions, own, other }) =>
        positions.map((t) =>
          mean(
            pairs.flatMap(([s, l]) =>
              own[state][s]!.map((head, h) =>
                sum(head[t]!.map((x, i) => (x - other[state][l]![h]![t]![i]!) ** 2)),
              ),
            ),
          ),
        ),
      );
    expect(terms["attention-relation"]).toBeCloseTo(mean(distances("attentions").flat()), 5);
    const [keys, values] = [distances("keys"), distances("values")];
    // A value per row: the mean over rows, not over tokens.
    const expected = mean(keys.map((row, i) => (mean(row) + mean(values[i]!)) / 2));
    expect(terms["kv-match"]).toBeCloseTo(expected, 4);
  });
});

const every = [
  lossTerm(hiddenStateLoss, {}, 1, [
    [1, 1],
    [2, 2],
  ]),
  lossTerm(attentionRelationLoss, {}),
  lossTerm(neuronSelectivityLoss, { normalize: true }),
  lossTerm(kvMatchLoss, {}),
];
const contrastive = lossTerm(inBatchContrastiveLoss, {});

test("a student that is its teacher has a loss of 0 and no gradient", async () => {
  using student = tinyDecoder(llama);
  using teacher = copyDecoder(student);
  const { terms, gradients } = await stepOf(student, teacher, every);
  for (const [name, value] of Object.entries(terms))
    expect(Math.abs(value), name).toBeLessThan(1e-6);
  for (const [name, gradient] of gradients) {
    expect(Math.max(...gradient.map(Math.abs)), name).toBeLessThan(1e-5);
  }
});

describe("the gradient", () => {
  test("is the slope of the loss, for the student's parameters and the projections", async () => {
    using student = tinyDecoder({ ...llama, tieWordEmbeddings: false });
    using teacher = tinyDecoder({ ...large, headDim: llama.headDim }, 2);
    const loss = [
      lossTerm(hiddenStateLoss, { metric: "mse" }, 1, [
        [0, 0],
        [1, 2],
      ]),
      lossTerm(attentionRelationLoss, {}, 0.5, [[2, 3]]),
      lossTerm(kvMatchLoss, {}, 0.5, [[1, 2]]),
    ];
    const sizes = { student: student.config, teacher: teacher.config };
    using projections = makeProjections(loss, sizes, new Random(6));
    expect([...(projections?.parameters.keys() ?? [])]).toEqual([
      "projections.0-0.weight",
      "projections.1-2.weight",
    ]);
    const lossAt = async () => (await stepOf(student, teacher, loss, { projections })).loss;
    const { gradients } = await stepOf(student, teacher, loss, { projections });
    const parameters = new Map([...student.parameters, ...(projections?.parameters ?? [])]);
    // Nothing that is compared lies behind the attention of the last layer.
    const unreached = [...parameters.keys()].filter((name) => !gradients.has(name));
    expect(unreached).toContain("lm_head.weight");
    expect(unreached).toContain("model.layers.1.mlp.down_proj.weight");
    expect(gradients.size).toBeGreaterThan(12);
    for (const [name, gradient] of gradients) {
      const variable = parameters.get(name) as tf.Variable;
      const original = Float32Array.from(await variable.data());
      const random = new Random(5).stream(name);
      const direction = original.map(() => random.normal());
      const moveBy = (step: number) =>
        tf.tidy(() => {
          const moved = original.map((x, i) => x + step * direction[i]!);
          variable.assign(tf.tensor(moved, variable.shape));
        });
      const step = 2e-3;
      moveBy(step);
      const above = await lossAt();
      moveBy(-step);
      const below = await lossAt();
      moveBy(0);
      const expected = gradient.reduce((total, g, i) => total + g * direction[i]!, 0);
      const scale = Math.max(Math.abs(expected), Math.hypot(...gradient), 0.02);
      expect(Math.abs((above - below) / (2 * step) - expected) / scale, name).toBeLessThan(1e-2);
    }
  });

  test("is the same however the rows are split into micro-batches or packed", async () => {
    using student = tinyDecoder(llama);
    using teacher = tinyDecoder(llama, 2);
    const same = async (loss: readonly LossTerm[], settings: Settings) => {
      const whole = await stepOf(student, teacher, loss);
      const split = await stepOf(student, teacher, loss, settings);
      expect(whole.loss).toBeGreaterThan(0.01);
      for (const [name, value] of Object.entries(whole.terms)) {
        expect(split.terms[name], name).toBeCloseTo(value, 5);
      }
      for (const [name, gradient] of whole.gradients) {
        const worst = Math.max(
          ...gradient.map((g, i) => Math.abs(g - split.gradients.get(name)![i]!)),
        );
        expect(worst, name).toBeLessThan(1e-5);
      }
    };
    await same(every, { parts: 3 });
    await same(every.slice(0, 2), { packing: true });
  });
});

describe("all losses on layers", () => {
  afterAll(useCpu);

  test("give the same on cpu and on the engine", async () => {
    const run = async () => {
      using student = tinyDecoder(llama);
      using teacher = tinyDecoder(llama, 2);
      return await stepOf(student, teacher, [...every, contrastive]);
    };
    const expected = await run();
    expect(Object.keys(expected.terms)).toHaveLength(5);
    await useWasmEngine();
    const found = await run();
    for (const [name, value] of Object.entries(expected.terms)) {
      expect(value, name).toBeGreaterThan(1e-3);
      expect(found.terms[name], name).toBeCloseTo(value, 5);
    }
    for (const [name, gradient] of expected.gradients) {
      const scale = Math.max(...gradient.map(Math.abs));
      const worst = Math.max(
        ...gradient.map((g, i) => Math.abs(g - found.gradients.get(name)![i]!)),
      );
      expect(worst / scale, name).toBeLessThan(1e-4);
    }
  });
});

describe("is refused before the run", () => {
  const given: LossSupply["teacher"] = {
    name: "model",
    vocabSize,
    provides: ["teacherHiddenStates", "teacherAttentions", "teacherKeys", "teacherValues"],
    layerSizes: llama,
  };
  const supply: LossSupply = {
    ...{ studentVocabSize: vocabSize, studentLayers: llama, teacher: given },
    ...{ onPolicyFraction: 0, gradientAccumulationSteps: 1 },
  };
  const { studentLayers: _layers, ...withoutLayers } = supply;
  const { teacher: _teacher, ...withoutTeacher } = supply;
  const at = (student: number, teacher: number): LayerPair[] => [[student, teacher]];

  test.each<[string, LossTerm, LossSupply, RegExp]>([
    [
      "a teacher that has no layers to show",
      every[0]!,
      { ...supply, teacher: { name: "http", vocabSize, provides: ["teacherTokenLogProbs"] } },
      /hidden-state needs teacherHiddenStates, which the teacher "http" cannot give\..*Teachers that can: model, self/,
    ],
    [
      "a student that has none",
      every[0]!,
      withoutLayers,
      /hidden-state compares layers, which this student does not show/,
    ],
    ["no teacher", every[0]!, withoutTeacher, /needs teacherHiddenStates.*that can: distill/],
    [
      "a layer that the student does not have",
      lossTerm(hiddenStateLoss, {}, 1, at(3, 1)),
      supply,
      /hidden-state compares layer 3 of the student, which has layers 0 to 2.*pairs \[student, teacher\]/,
    ],
    [
      "a layer that the teacher does not have",
      lossTerm(kvMatchLoss, {}, 1, at(2, 9)),
      supply,
      /kv-match compares layer 9 of the teacher, which has layers 1 to 2/,
    ],
    [
      "attention of the embedding",
      lossTerm(attentionRelationLoss, {}, 1, at(0, 0)),
      supply,
      /attention-relation compares layer 0 of the student, which has layers 1 to 2 for it/,
    ],
    [
      "other heads",
      lossTerm(attentionRelationLoss, {}),
      { ...supply, teacher: { ...given, layerSizes: { ...llama, numHeads: 8 } } },
      new RegExp(`numHeads is ${numHeads} in the student and 8 in the teacher.*hidden-state`),
    ],
    [
      "heads of another width",
      lossTerm(kvMatchLoss, {}),
      { ...supply, teacher: { ...given, layerSizes: { ...llama, headDim: 16 } } },
      /kv-match compares head with head, but headDim is \d+ in the student and 16/,
    ],
    [
      "rows that are compared and split up",
      contrastive,
      { ...supply, gradientAccumulationSteps: 2 },
      /in-batch-contrastive compares the rows of a batch, which micro-batches would change/,
    ],
    [
      "a value per row of packed rows",
      lossTerm(kvMatchLoss, {}),
      { ...supply, packing: true },
      /kv-match has one value per row, but a packed row is no example/,
    ],
    [
      "a trainer of pairs",
      every[0]!,
      { ...supply, pairs: true },
      /needs studentHiddenStates.*which a trainer of pairs does not have/,
    ],
  ])("%s", (_what, term, offered, message) => {
    expect(() => checkLoss([term], offered)).toThrow(message);
  });

  test("another width without projections", async () => {
    using student = tinyDecoder(llama);
    using teacher = modelTeacher(tinyDecoder(large, 2));
    using optimizer = new AdamW(student.parameters);
    const options = { student, teacher, optimizer, steps: 1, random: new Random(1) };
    const training = distill({
      ...options,
      loss: [lossTerm(hiddenStateLoss, {})],
      data: { rows: () => rows, promptOf: ({ ids }) => ids.slice(0, 1) },
      tokenizer: { endIds: [], padId: 0 },
    });
    const widths = `${llama.hiddenSize} are compared with ones of width ${large.hiddenSize}`;
    await expect(training.next()).rejects.toThrow(
      new RegExp(`Hidden states of width ${widths}\\..*makeProjections`),
    );
  });
});

describe("layers in a config", () => {
  const hidden = (layers: unknown) => ({ type: "hidden-state", layers });

  test("belong to terms on layers and arrive in the term", () => {
    const parsed = lossTermSchema.parse(hidden(twoPairs));
    expect(lossTermFromConfig(parsed).layers).toEqual(twoPairs);
    expect(
      lossTermFromConfig(lossTermSchema.parse({ type: "hidden-state" })).layers,
    ).toBeUndefined();
    expect(lossTermFromConfig(parsed).config).not.toHaveProperty("layers");
  });

  test.each([
    ["a layer in place of a pair", hidden([1, 2]), /expected tuple/],
    ["three layers", hidden([[1, 2, 3]]), /Too big|expected array to have <=2/],
    ["no pair", hidden([]), /Too small/],
    ["a layer below 0", hidden([[-1, 2]]), /Too small/],
    ["another loss", { type: "forward-kl", layers: twoPairs }, /Unrecognized key: \\"layers\\"/],
  ])("%s is an error", (_what, config, message) => {
    expect(() => lossTermSchema.parse(config)).toThrow(message);
  });

  test("so it is for lossTerm", () => {
    expect(() => lossTerm(forwardKlLoss, {}, 1, twoPairs)).toThrow(
      /forward-kl\.layers: reads no states of layers/,
    );
    expect(() => lossTerm(hiddenStateLoss, {}, 1, [[1.5, 1]])).toThrow(/expected whole number/);
  });
});

test("a teacher with a prompt of its own gives hidden states, moved, and no attentions", async () => {
  const tokenizer = { encode: () => [1, 2], startIds: [], endIds: [], padId: 0 };
  using model = tinyDecoder(llama);
  const inner = modelTeacher(copyDecoder(model));
  using teacher: Teacher = promptedTeacher(inner, "so {prompt}", tokenizer);
  expect(teacher.provides).toContain("teacherHiddenStates");
  for (const signal of ["teacherAttentions", "teacherKeys", "teacherValues"] as const) {
    expect(inner.provides).toContain(signal);
    expect(teacher.provides).not.toContain(signal);
  }
  using batches = splitIntoBatches([], rows, 1, 0);
  const { batch } = batches.parts[0]!;
  const layers = { hiddenStates: [1] };
  const context = { random: new Random(1), firstRow: 0, layers };
  const scores = await teacher.score(batch, ["teacherHiddenStates"], context);
  const found = tf.tidy(() => scores.tensors().layers?.hiddenStates?.[1]!.arraySync())!;
  scores.dispose?.();
  for (const [i, row] of rows.entries()) {
    const expected = statesOf(model, { ...row, ids: [1, 2, ...row.ids] }).hiddenStates[1]!;
    for (const t of learned(row)) {
      for (const [d, x] of expected[t + 2]!.entries()) expect(found[i]![t]![d]).toBeCloseTo(x, 5);
    }
  }
});

test("a model says which layers it has, and a model without layers gives no states", () => {
  using model = tinyDecoder(llama);
  tf.tidy(() => {
    const inputIds = tf.tensor2d([[1, 2]], undefined, "int32");
    expect(() => model.forwardWithLayers({ inputIds }, { attentions: [0] })).toThrow(
      /no attentions of layer 0.*1 to 2/,
    );
    expect(() => model.forwardWithLayers({ inputIds }, { hiddenStates: [3] })).toThrow(/0 to 2/);
  });
  using teacher = modelTeacher(new ChainModel(vocabSize));
  expect(teacher.provides).not.toContain("teacherHiddenStates");
  expect(teacher.layerSizes).toBeUndefined();
});
