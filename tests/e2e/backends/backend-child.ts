/**
 * Starts a backend as a program of its own, computes a gradient on it and ends in one of several
 * ways. Prints one line of JSON: the report, or the error's message.
 *
 *     backend-child.ts <choice> <allow-software | hardware-only> <natural | exit | throw>
 */
import * as tf from "@tensorflow/tfjs-core";
import { type BackendChoice, startBackend } from "../../../src/backend/index.js";
import { PupilError } from "../../../src/errors/index.js";
import { nodePlatform } from "../../../src/node/platform.js";

const [choice, adapters, ending] = process.argv.slice(2) as [BackendChoice, string, string];

/** Gradient of sum((x · xᵀ)²) for x of ones [40, 30]: 4 · 40 · 30 everywhere. */
async function gradient(): Promise<number[]> {
  const grad = tf.tidy(() =>
    tf.grad((x: tf.Tensor) => tf.matMul(x, x, false, true).square().sum())(tf.ones([40, 30])),
  );
  const values = await grad.data();
  grad.dispose();
  return [...new Set(values)];
}

async function main(): Promise<void> {
  const allowSoftwareAdapter = adapters === "allow-software";
  const report = await startBackend(choice, { platform: nodePlatform, allowSoftwareAdapter });
  const values = await gradient();
  const { numTensors } = tf.memory();
  process.stdout.write(`${JSON.stringify({ ...report, values, numTensors })}\n`);
  if (ending === "natural") return;
  // Work that nobody waits for, on its way to the device when the process ends.
  let x = tf.randomNormal([256, 256], 0, 1, "float32", 1);
  for (let i = 0; i < 20; i++) x = tf.matMul(x, x).tanh();
  x.data().catch(() => {});
  if (ending === "throw") throw new Error("the training failed");
  process.exit(0);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof PupilError)) throw error;
  process.stdout.write(`${JSON.stringify({ message: error.message })}\n`);
  process.exitCode = 2;
}
