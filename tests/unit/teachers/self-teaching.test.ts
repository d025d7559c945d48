import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer, makeBatch, type TokenSequence } from "../../../src/data/index.js";
import {
  addAdapter,
  copyDecoder,
  decoderToTensors,
  initializeDecoder,
  modelConfigSchema,
  setActiveAdapter,
} from "../../../src/models/index.js";
import { AdamW } from "../../../src/optim/index.js";
import { averageTeacher, modelTeacher, promptedTeacher } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";

const tokenizer = characterTokenizer({ alphabet: "0123456789+= " });
const config = modelConfigSchema.parse({
  ...{ family: "llama", vocabSize: tokenizer.vocabSize, hiddenSize: 8, numLayers: 1, numHeads: 2 },
  ...{ maxPositions: 32, initializerRange: 0.5 },
});
const model = (seed = 1) => initializeDecoder(config, new Random(seed));

function row(prompt: string, completion: string): TokenSequence {
  const ids = [...tokenizer.encode(prompt + completion), tokenizer.endIds[0] as number];
  return { ids, completionStart: prompt.length };
}

/** Logits `[n − 1][V]` of one text, by the model alone. */
function logitsOf(ids: readonly number[]): number[][] {
  using decoder = model();
  return tf.tidy(() => {
    const inputIds = tf.tensor2d([ids.slice(0, -1)], undefined, "int32");
    return (decoder.forward({ inputIds }).arraySync() as number[][][])[0] as number[][];
  });
}

describe("a teacher with a prompt of its own", () => {
  test("scores the student's tokens after that prompt, at the student's positions", async () => {
    const rows = [row("1+2=", "3"), { ...row("7+8=", "95"), reference: tokenizer.encode("15") }];
    using batch = makeBatch(rows, tokenizer.padId);
    using teacher = promptedTeacher(modelTeacher(model()), "9{completion}0{prompt}", tokenizer);
    const scores = await teacher.score(batch, ["teacherLogits", "teacherTokenLogProbs"]);
    const [logits, logProbs] = tf.tidy(() => {
      const { teacherLogits, teacherTokenLogProbs } = scores.tensors();
      return [teacherLogits?.arraySync(), teacherTokenLogProbs?.arraySync()];
    }) as [number[][][], number[][]];
    scores.dispose?.();

    for (const [i, text] of ["9301+2=3", "91507+8=95"].entries()) {
      const ids = [...tokenizer.encode(text), tokenizer.endIds[0] as number];
      const expected = logitsOf(ids);
      const { completionStart, ids: own } = rows[i] as TokenSequence;
      const shift = ids.length - own.length;
      for (let t = completionStart - 1; t + 1 < own.length; t++) {
        const wanted = expected[t + shift] as number[];
        const found = (logits[i] as number[][])[t] as number[];
        for (const [v, value] of wanted.entries()) expect(found[v]).toBeCloseTo(value, 5);
        const total = Math.log(wanted.reduce((sum, x) => sum + Math.exp(x), 0));
        const logProb = (wanted[own[t + 1] as number] as number) - total;
        expect((logProbs[i] as number[])[t]).toBeCloseTo(logProb, 5);
      }
    }
  });

  test("reads what the writer of a row was shown, and knows only rows that say it", async () => {
    const bare = row("7+8=", "95");
    const rows = [
      { ...row("1+2=", "3"), shownPrompt: tokenizer.encode("9 3 1+2=") },
      { ...bare, shownPrompt: tokenizer.encode("7+8=") },
    ];
    using batch = makeBatch(rows, tokenizer.padId);
    using teacher = promptedTeacher(modelTeacher(model()), "{shown}", tokenizer);
    const scores = await teacher.score(batch, ["teacherLogits"]);
    const logits = tf.tidy(() => scores.tensors().teacherLogits?.arraySync()) as number[][][];
    scores.dispose?.();
    for (const [i, text] of ["9 3 1+2=3", "7+8=95"].entries()) {
      const ids = [...tokenizer.encode(text), tokenizer.endIds[0] as number];
      const { completionStart, ids: own } = rows[i] as TokenSequence;
      const shift = ids.length - own.length;
      for (let t = completionStart - 1; t + 1 < own.length; t++) {
        for (const [v, value] of (logitsOf(ids)[t + shift] as number[]).entries()) {
          expect((logits[i] as number[][])[t]?.[v]).toBeCloseTo(value, 5);
        }
      }
    }
    expect([...rows, bare].map((one) => teacher.knows?.(one))).toEqual([true, true, false]);
    using other = makeBatch([{ ...bare, id: "a.jsonl:3" }], tokenizer.padId);
    await expect(teacher.score(other, ["teacherLogits"])).rejects.toThrow(
      /^a\.jsonl:3: The row does not say what its writer was shown.*hinted/,
    );
  });

  test.each([
    ["no prompt here", /teacher\.prompt: has no \{prompt\}/],
    ["{prompt} {answer}", /unknown placeholder \{answer\}.*\{completion\}/],
  ])("refuses the template %j", (template, message) => {
    using inner = modelTeacher(model());
    expect(() => promptedTeacher(inner, template, tokenizer)).toThrow(message);
  });

  test("tells when prompt and row are too long for it", async () => {
    using batch = makeBatch([row("1234567890+1234567890=", "1234567")], tokenizer.padId);
    using teacher = promptedTeacher(modelTeacher(model()), "{completion} {prompt}", tokenizer);
    const scores = await teacher.score(batch, ["teacherLogits"]);
    expect(() => tf.tidy(() => void scores.tensors())).toThrow(/do not fit .* 32 positions/);
    scores.dispose?.();
  });
});

describe("an average of the student", () => {
  test("follows it by the decay, on memory of its own", async () => {
    using student = model();
    using teacher = averageTeacher(student, 0.75);
    const [name, parameter] = [...student.parameters][0] as [string, tf.Variable];
    const before = Float32Array.from(parameter.dataSync());
    using optimizer = new AdamW(student.parameters);
    const gradients = new Map([...student.parameters].map(([n, p]) => [n, tf.onesLike(p)]));
    tf.tidy(() => optimizer.apply(gradients, 0.1, tf.scalar(1)));
    for (const gradient of gradients.values()) gradient.dispose();
    const after = Float32Array.from(parameter.dataSync());

    const unchanged = (await teacher.state?.read())?.get(name)?.data as Float32Array;
    expect([...unchanged]).toEqual([...before]);
    teacher.afterStep?.();
    const averaged = (await teacher.state?.read())?.get(name)?.data as Float32Array;
    for (const [i, value] of averaged.entries()) {
      expect(value).toBeCloseTo(0.75 * (before[i] as number) + 0.25 * (after[i] as number), 6);
    }
    expect(Math.abs((after[0] as number) - (before[0] as number))).toBeGreaterThan(0.05);
  });

  test("of a student with an adapter is one of the weights with what it adds", async () => {
    using student = model();
    const name = "model.layers.0.mlp.down_proj.weight";
    const weights = async () => (await decoderToTensors(student)).get(name)?.data as Float32Array;
    addAdapter(student, "tuned", { rank: 2, targets: ["down_proj"], random: new Random(3) });
    setActiveAdapter(student, "tuned");
    const before = await weights();
    const fixed = [...student.parameters].map(([, parameter]) => [...parameter.dataSync()]);
    using teacher = averageTeacher(student, 0.75);
    for (const [key, matrix] of student.trainableParameters()) {
      if (key.includes("lora_B")) tf.tidy(() => matrix.assign(tf.onesLike(matrix)));
    }
    const after = await weights();
    teacher.afterStep?.();
    const averaged = (await teacher.state?.read()) as Map<string, { data: Float32Array }>;
    for (const [i, value] of (averaged.get(name)?.data as Float32Array).entries()) {
      expect(value).toBeCloseTo(0.75 * (before[i] as number) + 0.25 * (after[i] as number), 6);
    }
    expect([...after]).not.toEqual([...before]);
    for (const [i, [key]] of [...student.parameters].entries()) {
      if (key !== name) expect([...(averaged.get(key)?.data ?? [])], key).toEqual(fixed[i]);
    }
  });

  test("is restored from what was read, and from nothing else", async () => {
    using student = model();
    using other = model(2);
    using teacher = averageTeacher(student, 0.5);
    using restored = averageTeacher(other, 0.5);
    const saved = (await teacher.state?.read()) as never;
    restored.state?.restore(saved);
    expect(await restored.state?.read()).toEqual(saved);
    expect(() => restored.state?.restore(new Map())).toThrow(/saved average has no/);
  });
});

test("a copy of a model shares no memory with it", () => {
  using original = model();
  using copy = copyDecoder(original);
  const [, parameter] = [...original.parameters][0] as [string, tf.Variable];
  const [name] = [...copy.parameters][0] as [string, tf.Variable];
  const values = Float32Array.from(parameter.dataSync());
  tf.tidy(() => parameter.assign(tf.zerosLike(parameter)));
  expect([...(copy.parameters.get(name) as tf.Variable).dataSync()]).toEqual([...values]);
});
