/**
 * The part of a step between hidden states and their gradients (forward KL to a teacher of the same
 * width), with whole logits and in chunks:
 * `npx tsx bench/loss-part.ts [threads] [rows] [vocabulary] [width] [chunk MiB]`.
 */
import * as tf from "@tensorflow/tfjs";
import { startWasmBackend } from "../src/backend/wasm/index.js";
import { nodeWasmPlatform } from "../src/node/wasm-platform.js";
import { forwardKlFromLogits, linear, lossesFromHidden } from "../src/ops/index.js";

const numbers = process.argv.slice(2).map(Number);
const [numThreads = 2, rows = 256, V = 32000, D = 128, mib = 32] = numbers;
const backend = await startWasmBackend(nodeWasmPlatform, { numThreads });
const { allocator } = backend.engine;
const hidden = () => tf.randomNormal([1, rows, D], 0, 1, "float32") as tf.Tensor3D;
const head = () => tf.randomNormal([V, D], 0, 0.1, "float32") as tf.Tensor2D;
const [studentHidden, studentHead, teacherHidden, teacherHead] = [
  hidden(),
  head(),
  hidden(),
  head(),
];
const rowWeights = tf.ones([1, rows]) as tf.Tensor2D;

const whole = (h: tf.Tensor, w: tf.Tensor): tf.Scalar => {
  const teacher = linear(teacherHidden, teacherHead) as tf.Tensor3D;
  const student = linear(h, w as tf.Tensor2D) as tf.Tensor3D;
  return forwardKlFromLogits(student, teacher, { temperature: 1 }).sum();
};
const chunked = (h: tf.Tensor, w: tf.Tensor): tf.Scalar =>
  lossesFromHidden(
    {
      student: { hidden: h as tf.Tensor3D, head: w as tf.Tensor2D },
      teacher: { hidden: teacherHidden, head: teacherHead },
    },
    [{ loss: { kind: "forwardKl" }, rowWeights }],
    { chunkBytes: mib * 2 ** 20 },
  ).total;

const before = allocator.bytesInUse;
for (const [name, f] of Object.entries({ whole, chunked })) {
  allocator.peakBytes = before;
  const times: number[] = [];
  let value = 0;
  for (let round = 0; round < 7; round++) {
    const start = process.cpuUsage();
    const startMs = performance.now();
    const result = tf.tidy(() => tf.valueAndGrads(f)([studentHidden, studentHead]));
    const wallMs = performance.now() - startMs;
    const { user, system } = process.cpuUsage(start);
    times.push(numThreads === 1 ? (user + system) / 1000 : wallMs);
    value = (await result.value.data())[0] as number;
    tf.dispose([result.value, result.grads]);
  }
  times.sort((a, b) => a - b);
  const peak = ((allocator.peakBytes - before) / 2 ** 20).toFixed(1);
  console.log(
    `${name}: median ${times[3]?.toFixed(1)} ms, best ${times[0]?.toFixed(1)} ms, peak ${peak} MiB, value ${value}`,
  );
}
process.exit(0);
