/** A process of its own: works with a worker until that has done something, then simply ends. */
import * as tf from "@tensorflow/tfjs-core";
import { useWasmEngine } from "./wasm-engine.js";

const { engine } = await useWasmEngine({ numThreads: 2 });
const until = Date.now() + 20_000;
while (engine.kernels.workerClaims() === 0 && Date.now() < until) {
  // Lets the worker start.
  await new Promise((resolve) => setTimeout(resolve, 5));
  tf.dispose(tf.tidy(() => tf.matMul(tf.ones([512, 512]), tf.ones([512, 512]))));
}
process.stdout.write(engine.kernels.workerClaims() > 0 ? "workers took part\n" : "no worker\n");
