/**
 * From nothing to one training step of the small student, with the built package, as an application
 * would load it: `node bench/contestants/first-step.mjs <executor>|stock <threads>`. Prints a line when it is done.
 */
import * as tf from "@tensorflow/tfjs-core";
import * as pupil from "pupil";
import { forwardKl } from "pupil/losses";
import { globalNorm } from "pupil/ops";
import { clipScale } from "pupil/optim";
import { variableGradients } from "pupil/tensors";

const [kind, threads] = process.argv.slice(2);
for (const method of ["log", "info", "warn"]) console[method] = console.error;
if (kind === "stock") {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(new URL(".", import.meta.resolve("@tensorflow/tfjs-backend-wasm")).pathname);
  await tf.setBackend("wasm");
} else {
  process.env["PUPIL_EXECUTOR"] = kind;
  const { nodePlatform } = await import("pupil/node");
  const cpuEngine = { ...nodePlatform.cpuEngine, numCores: Number(threads) };
  await pupil.startBackend("wasm", { platform: { ...nodePlatform, cpuEngine } });
}

const sizes = { vocabSize: 512, hiddenSize: 128, intermediateSize: 344, numLayers: 4, numHeads: 4 };
const config = pupil.modelConfigSchema.parse({ family: "llama", maxPositions: 256, ...sizes });
const model = pupil.initializeDecoder(config, new pupil.Random(1));
const optimizer = new pupil.AdamW(model.parameters);
const inputIds = tf.fill([16, 64], 7, "int32");
const teacherLogits = tf.zeros([16, 64, 512]);
const loss = tf.tidy(() => {
  const { value, gradients } = variableGradients(
    () => forwardKl(model.forward({ inputIds }), teacherLogits).mean(),
    [...model.parameters.values()],
  );
  const named = new Map([...model.parameters.keys()].map((name, i) => [name, gradients[i]]));
  optimizer.apply(named, 1e-3, clipScale(globalNorm(gradients), 1));
  return value;
});
await loss.data();
const maxRssBytes = 1024 * process.resourceUsage().maxRSS;
process.stdout.write(`${JSON.stringify({ maxRssBytes })}\n`);
