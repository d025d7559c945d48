import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

/** tfjs's own wasm backend, as it comes. Go back with `useCpu` when done. */
export async function useStockWasm(): Promise<void> {
  const main = fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm"));
  setWasmPaths(main.replace(/[^/]*$/, ""));
  if (!(await tf.setBackend("wasm"))) throw new Error("The wasm backend did not start.");
}
