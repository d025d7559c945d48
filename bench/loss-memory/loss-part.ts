/**
 * The part of a step between hidden states and their gradients, in a process of its own, because the
 * system tells only the most memory that a process ever had:
 * `npx tsx bench/loss-memory/loss-part.ts <plain|fused> <loss> [vocabulary] [rows] [width] [repeats] [chunk MiB]`
 * prints one line of JSON (`LossPartAnswer`). `plain` makes all logits, `fused` a chunk at a time.
 * On one thread, whose CPU time does not depend on what else the machine does.
 */
import * as tf from "@tensorflow/tfjs-core";
import { findLoss, type LossInputs, lossTerm } from "../../src/losses/index.js";
import { linear, lossesFromHidden } from "../../src/ops/index.js";
import { keepTensor, Random } from "../../src/tensors/index.js";
import { startEngine } from "../contestants/backends.js";
import type { LossPartAnswer } from "../results.js";
import { lossPartSizes } from "../scenarios.js";

const [form = "fused", name = "forward-kl", ...numbers] = process.argv.slice(2);
const { rows: mostRows, hiddenSize } = lossPartSizes;
const [V = 32000, rows = mostRows, D = hiddenSize, repeats = 3, chunkMiB] = numbers.map(Number);
const { definition, config } = lossTerm(findLoss(name), {});
const random = new Random(1);
const normals = Float32Array.from({ length: 1_000_003 }, () => random.normal());
const peakOf = await startEngine(1);

/** Seeded numbers in the engine's memory, and nowhere else. */
function filled(shape: number[], scale: number): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const start = random.integer(normals.length);
  const values = (i: number) => scale * (normals[(start + i) % normals.length] as number);
  const parts = Array.from({ length: Math.ceil(size / 2 ** 20) }, (_, part) => {
    const length = Math.min(2 ** 20, size - part * 2 ** 20);
    return tf.tensor1d(Float32Array.from({ length }, (_unused, i) => values(part * 2 ** 20 + i)));
  });
  const whole = tf.tidy(() => keepTensor(tf.concat1d(parts).reshape(shape)));
  tf.dispose(parts);
  return whole;
}

const states = () => ({
  hidden: filled([1, rows, D], 1) as tf.Tensor3D,
  head: filled([V, D], 0.1) as tf.Tensor2D,
});
const [student, teacher] = [states(), states()];
const ids = Int32Array.from({ length: rows }, () => random.integer(V));
const labels = keepTensor(tf.tensor2d(ids, [1, rows], "int32"));
const readsTeacher = definition.needs.includes("teacherLogits");

function plain(h: tf.Tensor, w: tf.Tensor, teacherLogits: tf.Tensor | undefined): tf.Scalar {
  const studentLogits = linear(h, w as tf.Tensor2D);
  const inputs = { studentLogits, teacherLogits, labels } as unknown as LossInputs;
  return definition.evaluate(inputs, config).sum();
}

function fused(h: tf.Tensor, w: tf.Tensor): tf.Scalar {
  const rowWeights = tf.ones([1, rows]) as tf.Tensor2D;
  const { total } = lossesFromHidden(
    {
      student: { hidden: h as tf.Tensor3D, head: w as tf.Tensor2D },
      ...(readsTeacher ? { teacher } : { labels }),
    },
    (definition.rowLosses?.(config) ?? []).map((loss) => ({ loss, rowWeights })),
    chunkMiB === undefined ? {} : { chunkBytes: chunkMiB * 2 ** 20 },
  );
  return total;
}

const answer = { value: 0, gradientNorm: 0, cpuMs: [] as number[] };
const peakBytes = await peakOf(async () => {
  for (let round = 0; round < repeats; round++) {
    const start = process.cpuUsage();
    const { value, grads } = tf.tidy(() => {
      const teacherLogits =
        form === "plain" && readsTeacher ? linear(teacher.hidden, teacher.head) : undefined;
      return tf.valueAndGrads((h: tf.Tensor, w: tf.Tensor) =>
        form === "plain" ? plain(h, w, teacherLogits) : fused(h, w),
      )([student.hidden, student.head]);
    });
    const { user, system } = process.cpuUsage(start);
    answer.cpuMs.push((user + system) / 1000);
    const norm = tf.tidy(() => grads[0]?.norm() as tf.Scalar);
    answer.value = (await value.data())[0] as number;
    answer.gradientNorm = (await norm.data())[0] as number;
    tf.dispose([value, norm, ...grads]);
  }
});
const maxRssBytes = process.resourceUsage().maxRSS * 1024;
const result: LossPartAnswer = { ...answer, peakBytes, maxRssBytes };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
